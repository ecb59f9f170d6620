package testbed

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// boxAddress is the last part of a test container's address.
const boxAddress = 150

// startContainer unpacks the archive into the bed's folder and runs it.
func startContainer(ctx context.Context, host *Host, name string) error {
	archive, err := Archive(ctx)
	if err != nil {
		return err
	}
	root := filepath.Join(host.Bed().Folder(), name)
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	if _, err := run(ctx, "tar", "--extract", "--file", archive, "--directory", root); err != nil {
		return err
	}
	definition := filepath.Join(host.Bed().Folder(), name+".xml")
	text := fmt.Sprintf(`<domain type="lxc"><name>%s</name><memory unit="MiB">64</memory><vcpu>1</vcpu>
<os><type>exe</type><init>/sbin/init</init></os>
<devices><filesystem type="mount"><source dir="%s"/><target dir="/"/></filesystem>
<interface type="bridge"><source bridge="br0"/><ip address="%s" family="ipv4" prefix="24"/></interface>
<console type="pty"/></devices></domain>
`, name, root, host.Bed().Address(boxAddress))
	if err := os.WriteFile(definition, []byte(text), 0o600); err != nil {
		return err
	}
	_, err = run(ctx, "virsh", "--quiet", "--connect", host.ContainerURI(), "create", definition)
	return err
}

func TestHostRunsAContainerThatAnswersAndStopsWhenItIsAsked(t *testing.T) {
	host, err := For(t).StartHost(t.Context(), HostOptions{Name: "alpha", Containers: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := startContainer(t.Context(), host, "box"); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	address := "http://" + host.Bed().Address(boxAddress)
	err = until(ctx, func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		if got := strings.TrimSpace(string(content)); err == nil && got != "box" {
			err = fmt.Errorf("the container says it is %q", got)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}

	// A container may answer before libvirt knows its first process, and refuses to be stopped until then.
	err = until(ctx, func(ctx context.Context) error {
		_, err := run(ctx, "virsh", "--quiet", "--connect", host.ContainerURI(), "shutdown", "box", "--mode", "signal")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = until(ctx, func(ctx context.Context) error {
		list, err := run(ctx, "virsh", "--quiet", "--connect", host.ContainerURI(), "list", "--name")
		if err == nil && strings.TrimSpace(list) != "" {
			err = fmt.Errorf("there runs %q", list)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
