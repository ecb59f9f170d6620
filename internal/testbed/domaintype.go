package testbed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"
)

// kvmLimit is how long the guest may take to boot with KVM; it needs about two seconds where KVM works.
const kvmLimit = 12 * time.Second

// DomainType returns the libvirt domain type that guests must have on this machine: "kvm", or "qemu" for software
// emulation. That /dev/kvm exists does not mean that a guest runs on it, so one is booted; the answer holds until
// the machine is rebooted.
func DomainType(ctx context.Context) (string, error) {
	if _, err := os.Stat("/dev/kvm"); errors.Is(err, fs.ErrNotExist) {
		return "qemu", nil
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("find out whether KVM works: %w", err)
	}
	path, err := cached(ctx, "domain-type", strings.TrimSpace(string(boot)), probeDomainType)
	if err != nil {
		return "", fmt.Errorf("find out whether KVM works: %w", err)
	}
	answer, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("find out whether KVM works: %w", err)
	}
	return string(answer), nil
}

func probeDomainType(ctx context.Context, path string) error {
	image, err := Image(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "finding out whether KVM works: booting a guest, at most %s\n", kvmLimit)
	answer := "qemu"
	if bootsWithKVM(ctx, image) {
		answer = "kvm"
	}
	if err := ctx.Err(); err != nil {
		return err // the probe was cut short and says nothing
	}
	return os.WriteFile(path, []byte(answer), 0o600)
}

// bootsWithKVM boots the guest and looks for its ready line on the serial console.
func bootsWithKVM(ctx context.Context, image string) bool {
	ctx, cancel := context.WithTimeout(ctx, kvmLimit)
	defer cancel()

	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", "-machine", "pc", "-accel", "kvm", "-m", "128",
		"-nodefaults", "-display", "none", "-monitor", "none", "-serial", "stdio",
		"-drive", "if=virtio,format=qcow2,snapshot=on,file="+image)
	console, err := cmd.StdoutPipe()
	if err != nil {
		return false
	}
	if err := cmd.Start(); err != nil {
		return false
	}
	ready := awaitLine(console, "APPLIANCE-READY")
	cancel()
	_ = cmd.Wait() // it was killed, or has said why it cannot work by ending
	return ready == nil
}

// awaitLine reads until a line contains text.
func awaitLine(from io.Reader, text string) error {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return nil
		}
	}
	return errors.Join(lines.Err(), fmt.Errorf("the output ended without a line of %q", text))
}
