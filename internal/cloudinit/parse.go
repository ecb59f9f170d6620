package cloudinit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// errForeign is returned for images that Render did not make.
var errForeign = errors.New("the image is not a seed that this provider made")

// Parse reads a seed from an image that Render made. A network configuration comes back as Network if that is just what
// was rendered from it, otherwise as NetworkConfig.
func Parse(image []byte) (Seed, error) {
	files, err := readFAT(image)
	if err != nil {
		return Seed{}, err
	}

	return parse(files["META-D~1"], files["USER-D~1"], files["NETWOR~1"])
}

// parse reads the files of a seed, of which the network configuration may be absent.
func parse(metaData, userData, networkConfig []byte) (Seed, error) {
	var document map[string]string
	if err := yaml.Unmarshal(metaData, &document); err != nil {
		return Seed{}, fmt.Errorf("parse the seed's meta data: %w", err)
	}

	seed := Seed{InstanceID: document["instance-id"], Hostname: document["local-hostname"]}
	seed.parseUserData(userData)
	delete(document, "instance-id")
	delete(document, "local-hostname")

	if len(document) > 0 {
		seed.MetaData = document
	}

	if networkConfig != nil {
		seed.parseNetwork(networkConfig)
	}

	return seed, nil
}

func (s *Seed) parseNetwork(config []byte) {
	var document struct {
		Ethernets map[string]struct {
			Match struct {
				MACAddress string `yaml:"macaddress"`
			} `yaml:"match"`
			DHCP4     bool     `yaml:"dhcp4"`
			MTU       int      `yaml:"mtu"`
			Addresses []string `yaml:"addresses"`
			Routes    []struct {
				To  string `yaml:"to"`
				Via string `yaml:"via"`
			} `yaml:"routes"`
			Nameservers struct {
				Addresses []string `yaml:"addresses"`
			} `yaml:"nameservers"`
		} `yaml:"ethernets"`
	}

	s.NetworkConfig = string(config)

	if err := yaml.Unmarshal(config, &document); err != nil {
		return
	}

	var network []Interface

	for _, name := range slices.Sorted(maps.Keys(document.Ethernets)) {
		entry := document.Ethernets[name]
		nic := Interface{
			Name: name, MAC: entry.Match.MACAddress, Addresses: entry.Addresses, DHCP: entry.DHCP4, MTU: entry.MTU,
			Nameservers: entry.Nameservers.Addresses,
		}

		for _, route := range entry.Routes {
			if strings.Contains(route.To, ":") {
				nic.Gateway6 = route.Via
			} else {
				nic.Gateway = route.Via
			}
		}

		network = append(network, nic)
	}

	again, err := renderNetworkConfig(Seed{Network: network})
	if err == nil && bytes.Equal(again, config) {
		s.Network, s.NetworkConfig = network, ""
	}
}

// readFAT returns the files of an image that formatFAT made, by their short names. Their clusters are in sequence.
func readFAT(image []byte) (map[string][]byte, error) {
	if len(image) < sectorSize || image[13] == 0 || !bytes.Equal(image[54:62], []byte("FAT12   ")) {
		return nil, errForeign
	}

	s := shape{clusterSectors: int(image[13]), fatSectors: int(binary.LittleEndian.Uint16(image[22:]))}
	if s.dataStart() > len(image) {
		return nil, errForeign
	}

	files := map[string][]byte{}

	for entry := range slices.Chunk(image[s.rootStart():s.dataStart()], entrySize) {
		if entry[0] == 0 || entry[11] != attributeArchive {
			continue
		}

		size := int(binary.LittleEndian.Uint32(entry[28:]))
		start := s.dataStart() + (int(binary.LittleEndian.Uint16(entry[26:]))-2)*s.clusterSize()

		if size == 0 {
			start = s.dataStart()
		}

		if start < s.dataStart() || start+size > len(image) {
			return nil, errForeign
		}

		files[strings.TrimSpace(string(entry[:11]))] = image[start : start+size]
	}

	if files["META-D~1"] == nil || files["USER-D~1"] == nil {
		return nil, errForeign
	}

	return files, nil
}
