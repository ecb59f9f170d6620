//go:build cgo

package libvirt

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/wire"
)

// wantUsable checks that over a transport a machine is defined, found and removed, and that its events come.
func wantUsable(t *testing.T, uri string) {
	t.Helper()

	host := NewHost("alpha", Config{URI: uri, ConnectTimeout: patience})

	must(t, host.Define(t.Context(), idle(t, 1)))

	if domain, err := host.Domain(t.Context(), idleUUID); err != nil || domain.UUID != idleUUID {
		t.Errorf("%s: found %+v, %v", uri, domain, err)
	}

	host.mu.Lock()
	following := host.news.following
	host.mu.Unlock()

	if !following {
		t.Errorf("%s: no event came", uri)
	}

	must(t, host.Undefine(t.Context(), idleUUID))
}

// wantRefused checks that a connection fails for a reason, and what the error says to do.
func wantRefused(t *testing.T, uri string, says ...string) {
	t.Helper()

	_, err := NewHost("alpha", Config{URI: uri, ConnectTimeout: patience}).Domains(t.Context())
	if !errors.Is(err, ErrUnreachable) {
		t.Fatalf("%s: %v, want it refused", uri, err)
	}

	for _, text := range says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v, want it to say %q", uri, err, text)
		}
	}
}

func TestHostIsReachedOverUnixAndTCP(t *testing.T) {
	bed, _ := alpha(t)

	wantUsable(t, bed.URI())
	wantUsable(t, bed.TCPURI())
}

func TestSSHHostIsReachedIfItsKeyIsKnown(t *testing.T) {
	bed, _ := alpha(t)
	folder := t.TempDir()

	for _, name := range []string{"user", "host", "other"} {
		if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(folder, name)).CombinedOutput(); err != nil {
			t.Fatalf("make a key: %v: %s", err, out)
		}
	}

	startSSHD(t, bed, folder)

	known := filepath.Join(folder, "known_hosts")
	trust := func(key string) {
		public, err := os.ReadFile(filepath.Join(folder, key+".pub"))
		must(t, err)
		must(t, os.WriteFile(known, fmt.Appendf(nil, "%s %s", bed.Address(), public), 0o600))
	}

	// OpenSSH looks for the files of a user in the home of the password database, so it is told where they are.
	client := filepath.Join(folder, "ssh")
	must(t, os.WriteFile(client, fmt.Appendf(nil, "#!/bin/sh\nexec ssh -F none -o UserKnownHostsFile=%s -o GlobalKnownHostsFile=none \"$@\"\n", known), 0o700))

	uri := fmt.Sprintf("qemu+ssh://root@%s/system?command=%s&keyfile=%s", bed.Address(), client, filepath.Join(folder, "user"))

	wantRefused(t, uri, "Host key verification failed", "ssh-keyscan")
	trust("other")
	wantRefused(t, uri, "Host key verification failed", "ssh-keyscan")
	trust("host")
	wantUsable(t, uri)
	wantRefused(t, strings.Replace(uri, "/user", "/other", 1), "Permission denied", "ssh-copy-id")
}

// startSSHD runs an SSH server in the host's namespaces until the test ends.
func startSSHD(t *testing.T, bed *testbed.Host, folder string) {
	t.Helper()

	sshd, err := exec.LookPath("sshd")
	if err != nil {
		sshd = "/usr/sbin/sshd" // where only root's PATH looks
	}

	if _, err := os.Stat(sshd); err != nil {
		t.Fatalf("The test needs an SSH server: apt-get install openssh-server (%v)", err)
	}

	settings := filepath.Join(folder, "sshd_config")
	must(t, os.WriteFile(settings, fmt.Appendf(nil, `ListenAddress %s
HostKey %[2]s/host
AuthorizedKeysFile %[2]s/user.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
PidFile none
`, bed.Address(), folder), 0o600))
	must(t, os.MkdirAll(filepath.Join(bed.Folder(), "run/sshd"), 0o755))

	daemon, err := os.ReadFile(filepath.Join(bed.Folder(), "run/libvirtd.pid"))
	must(t, err)

	server := exec.CommandContext(t.Context(), "nsenter", "-t", strings.TrimSpace(string(daemon)), "-m", "-n", "-u", sshd, "-D", "-e", "-f", settings)

	server.WaitDelay = time.Second // a session may hold on to the output

	var said strings.Builder

	server.Stdout, server.Stderr = &said, &said
	must(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()

		if t.Failed() {
			t.Log(said.String())
		}
	})

	eventually(t, func() error {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", net.JoinHostPort(bed.Address(), "22"))
		if err == nil {
			err = conn.Close()
		}

		return err
	})
}

func TestTLSHostIsReachedIfItsCertificateIsOfTheAuthority(t *testing.T) {
	bed := testbed.Hosts(t, "alpha")[0]
	ours, theirs := newAuthority(t), newAuthority(t)

	server := t.TempDir()
	ours.issue(t, server, "server", net.ParseIP(bed.Address()))

	conf := filepath.Join(bed.Folder(), "etc/libvirtd.conf")
	text, err := os.ReadFile(conf)
	must(t, err)

	settings := strings.Replace(string(text), "listen_tls = 0", "listen_tls = 1", 1) + fmt.Sprintf("ca_file = %q\ncert_file = %q\nkey_file = %q\n",
		filepath.Join(server, "cacert.pem"), filepath.Join(server, "servercert.pem"), filepath.Join(server, "serverkey.pem"))
	must(t, os.WriteFile(conf, []byte(settings), 0o600))
	must(t, bed.Restart(t.Context()))

	uri := func(folder string) string {
		return fmt.Sprintf("qemu+tls://%s/system?pkipath=%s", bed.Address(), folder)
	}

	trusted := t.TempDir()
	ours.issue(t, trusted, "client", nil)
	wantUsable(t, uri(trusted))

	stranger := t.TempDir() // whom the host would let in, and who does not know the host's authority
	ours.issue(t, stranger, "client", nil)
	must(t, os.WriteFile(filepath.Join(stranger, "cacert.pem"), theirs.pem(), 0o600))
	wantRefused(t, uri(stranger), "certificate", "pkipath")

	intruder := t.TempDir() // who knows the host, and has a certificate of another authority
	theirs.issue(t, intruder, "client", nil)
	must(t, os.WriteFile(filepath.Join(intruder, "cacert.pem"), ours.pem(), 0o600))
	wantRefused(t, uri(intruder))
}

type authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func newAuthority(t *testing.T) authority {
	t.Helper()

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)

	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "test authority " + rand.Text()},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}

	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)

	certificate, err := x509.ParseCertificate(der)
	must(t, err)

	return authority{key: key, certificate: certificate}
}

func (a authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// issue writes a certificate, its key and the authority's certificate as libvirt looks for them.
func (a authority) issue(t *testing.T, folder, name string, address net.IP) {
	t.Helper()

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)

	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if address != nil {
		template.IPAddresses = []net.IP{address}
	}

	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	must(t, err)

	private, err := x509.MarshalECPrivateKey(key)
	must(t, err)

	for file, content := range map[string][]byte{
		"cacert.pem":      a.pem(),
		name + "cert.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		name + "key.pem":  pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}),
	} {
		must(t, os.WriteFile(filepath.Join(folder, file), content, 0o600))
	}
}

// TestLostConnectionIsMadeAnew loses it between two calls, during one, and by a host that falls silent.
func TestLostConnectionIsMadeAnew(t *testing.T) {
	bed, _ := alpha(t)

	proxy, err := wire.Listen(filepath.Join(t.TempDir(), "socket"), bed.Socket(), wire.Options{})
	must(t, err)
	t.Cleanup(func() { _ = proxy.Close() })

	host := NewHost("alpha", Config{URI: proxy.URI(), ConnectTimeout: patience})

	must(t, host.Define(t.Context(), idle(t, 1)))

	for _, fault := range []wire.Fault{{Action: wire.Cut, At: 1}, {Action: wire.Cut, At: 1, After: true}, {Action: wire.Stall, At: 1}} {
		proxy.Arm(fault)

		limited, cancel := context.WithTimeout(t.Context(), (keepAliveMisses+3)*keepAliveSeconds*time.Second+patience)
		_, err := host.Active(limited, idleUUID)

		cancel()

		if err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("A call whose connection was lost: %v", err)
		}

		proxy.Resume()
		eventually(t, func() error {
			_, err := host.Active(t.Context(), idleUUID)

			return err
		})
	}

	// What another run did meanwhile is seen: a list from the lost connection is not used.
	must(t, client(bed).SetAutostart(t.Context(), idleUUID, true))

	domains, err := host.DomainsNow(t.Context())
	must(t, err)

	for _, domain := range domains {
		if domain.UUID == idleUUID && !domain.Autostart {
			t.Error("The machine is shown as it was before the connection was lost")
		}
	}
}
