package libvirt

import (
	"net/url"
	"strings"
)

// unattended is the URI with what keeps a transport from asking whoever sits at the terminal: Terraform has it, and an
// answer would be waited for until the connection's time is up. SSH then refuses a host whose key it does not know.
func unattended(uri string) string {
	parsed, err := url.Parse(uri)
	if err != nil || !strings.HasSuffix(parsed.Scheme, "+ssh") || parsed.Query().Has("no_tty") {
		return uri
	}

	separator := "?"
	if parsed.RawQuery != "" {
		separator = "&"
	}

	return uri + separator + "no_tty=1"
}

// remedies are what to do about what libvirt says when it cannot connect, by a part of that.
var remedies = []struct{ said, remedy string }{
	{
		"Host key verification failed",
		"The host's SSH key is not the one that is known, or none is. Compare it with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub there) " +
			"and add it to the known_hosts file of whoever runs Terraform: ssh-keyscan HOST >> ~/.ssh/known_hosts",
	},
	{
		"Permission denied",
		"Let whoever runs Terraform log in there without a password: ssh-copy-id USER@HOST, or name the key in the URI (?keyfile=PATH)",
	},
	{
		"certificate",
		"The host's certificate must be of the authority in cacert.pem and name the address in the URI, and the host must accept clientcert.pem. " +
			"Libvirt looks for them in /etc/pki, or where the URI says (?pkipath=FOLDER)",
	},
}

// remedy says what to do about a connection that failed, if that is known.
func remedy(err error) string {
	for _, known := range remedies {
		if strings.Contains(err.Error(), known.said) {
			return ". " + known.remedy
		}
	}

	return ""
}
