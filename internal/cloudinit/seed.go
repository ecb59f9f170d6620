// Package cloudinit makes NoCloud seeds: the small disk images from which cloud-init in a new machine learns its name,
// its network and what to do on first boot. It is pure: the image is made in memory, and the same seed gives the same
// bytes.
//
// The formats are cloud-init's, https://cloudinit.readthedocs.io: "NoCloud" and "Networking Config Version 2".
package cloudinit

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// MaxFileSize is the largest that a file of a seed may be, in bytes.
const MaxFileSize = 16 << 20

// Seed is what a machine is told on its first boot.
type Seed struct {
	// InstanceID tells cloud-init whether this is a first boot: it runs again when the id changes. Required.
	InstanceID string
	// Hostname is the machine's name; cloud-init keeps the image's own name if it is empty.
	Hostname string
	// MetaData has further keys for templates in the user data. InstanceID and Hostname have fields of their own and
	// are refused here.
	MetaData map[string]string
	// UserData is passed on unchanged. It may be empty.
	UserData string
	// SecretUserData is user data, too. If there are both, cloud-init is given a message of two parts, of which the second
	// adds to the lists and maps of the first; neither may be such a message itself then.
	SecretUserData string
	// Network has the machine's interfaces. With no interface and no NetworkConfig, cloud-init asks for an address by
	// DHCP on the first interface that it finds.
	Network []Interface
	// NetworkConfig is a network configuration (version 1 or 2) in YAML that is passed on unchanged, for what
	// Interface cannot say. It takes the place of Network.
	NetworkConfig string
}

// Render makes the seed's image: a FAT file system labelled "cidata" with the files meta-data, user-data and, if the
// seed says anything of the network, network-config. Errors name the field at fault and never repeat user data.
func Render(seed Seed) ([]byte, error) {
	files, err := seed.files()
	if err != nil {
		return nil, err
	}

	return formatFAT("cidata", files), nil
}

// files are what a seed consists of, in whatever form it reaches the machine.
func (s Seed) files() ([]file, error) {
	metaData, err := renderMetaData(s)
	if err != nil {
		return nil, fmt.Errorf("render meta data: %w", err)
	}

	networkConfig, err := renderNetworkConfig(s)
	if err != nil {
		return nil, fmt.Errorf("render network configuration: %w", err)
	}

	userData, err := renderUserData(s)
	if err != nil {
		return nil, fmt.Errorf("render user data: %w", err)
	}

	files := []file{
		{name: "meta-data", content: metaData},
		// NoCloud takes a volume for a seed only if both files are there, even if one is empty.
		{name: "user-data", content: userData},
	}
	if networkConfig != nil {
		files = append(files, file{name: "network-config", content: networkConfig})
	}

	for _, f := range files {
		if len(f.content) > MaxFileSize {
			return nil, fmt.Errorf("render seed: %s has %d bytes, more than the %d MiB that a seed may hold", f.name, len(f.content), MaxFileSize>>20)
		}
	}

	return files, nil
}

type metaData struct {
	InstanceID    text            `yaml:"instance-id"`
	LocalHostname text            `yaml:"local-hostname,omitempty"`
	Further       map[string]text `yaml:",inline"`
}

func renderMetaData(seed Seed) ([]byte, error) {
	if seed.InstanceID == "" {
		return nil, errors.New("the instance id is empty")
	}

	document := metaData{InstanceID: text(seed.InstanceID), LocalHostname: text(seed.Hostname), Further: map[string]text{}}

	for key, value := range seed.MetaData {
		if key == "instance-id" || key == "local-hostname" {
			return nil, fmt.Errorf("the key %q is set by the machine itself", key)
		}

		document.Further[key] = text(value)
	}

	return yaml.Marshal(document)
}

// text is a string that is always written quoted: cloud-init reads YAML 1.1, in which on, = and 52:54:00:12:34:56 are
// not strings, and yaml.v3 quotes only some of such words.
type text string

// MarshalYAML implements yaml.Marshaler.
func (t text) MarshalYAML() (any, error) {
	if !utf8.ValidString(string(t)) {
		return nil, errors.New("a text is not valid UTF-8")
	}

	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: string(t)}, nil
}
