package domainxml

import (
	"net/netip"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"libvirt.org/go/libvirtxml"
)

// LXC is the Type of a container of the operating-system kind.
const LXC = "lxc"

// Container is what a machine of type LXC has instead of disks and a boot loader.
type Container struct {
	Root string   // folder of the host that is its root file system
	Init []string // the first process and its arguments
	// Networks are what libvirt sets up in the container before its first process, by interface.
	Networks map[string]Network
}

// Network is how an interface of a container is set up.
type Network struct {
	Addresses []string // with their prefix length, as netip.Prefix writes them: "10.0.0.101/24"
	Gateways  []string // IPv4 before IPv6, at most one of each
}

// quotaPeriod is how often the kernel hands out CPU time to a container, in microseconds: its own default.
const quotaPeriod = 100_000

// lxc renders a container. Its number of vCPUs is a share of CPU time, which is all that the kernel has for it, and the
// emulator's CPUs are those of all of its threads. Its memory is written as its hard limit too: of the two that is the one
// that libvirt changes in both directions while the container runs.
func lxc(spec Spec, mark string) libvirtxml.Domain {
	zero := uint(0)
	kib := spec.Memory / 1024

	domain := libvirtxml.Domain{
		Type:       LXC,
		Name:       spec.Name,
		UUID:       spec.UUID,
		Metadata:   &libvirtxml.DomainMetadata{XML: mark},
		Memory:     &libvirtxml.DomainMemory{Value: uint(kib), Unit: "KiB"},
		MemoryTune: &libvirtxml.DomainMemoryTune{HardLimit: &libvirtxml.DomainMemoryTuneLimit{Value: kib, Unit: "KiB"}},
		VCPU:       &libvirtxml.DomainVCPU{Placement: "static", CPUSet: spec.Emulator.String(), Value: uint(spec.VCPUs)},
		CPUTune: &libvirtxml.DomainCPUTune{
			Period: &libvirtxml.DomainCPUTunePeriod{Value: quotaPeriod},
			Quota:  &libvirtxml.DomainCPUTuneQuota{Value: int64(spec.VCPUs) * quotaPeriod},
		},
		OS: &libvirtxml.DomainOS{Type: &libvirtxml.DomainOSType{Arch: "x86_64", Type: "exe"}},
		// Without a network namespace of its own, a container without interfaces would have those of its host.
		Features:   &libvirtxml.DomainFeatureList{PrivNet: &libvirtxml.DomainFeature{}},
		OnPoweroff: "destroy",
		OnReboot:   "restart",
		OnCrash:    "destroy",
		Devices: &libvirtxml.DomainDeviceList{Consoles: []libvirtxml.DomainConsole{{
			Source: &libvirtxml.DomainChardevSource{Pty: &libvirtxml.DomainChardevSourcePty{}},
			Target: &libvirtxml.DomainConsoleTarget{Type: LXC, Port: &zero},
		}}},
	}

	spec.Container.render(spec.Interfaces, &domain)

	return domain
}

func (c *Container) render(interfaces map[string]Interface, domain *libvirtxml.Domain) {
	if c == nil {
		return
	}

	if len(c.Init) > 0 {
		domain.OS.Init, domain.OS.InitArgs = c.Init[0], c.Init[1:]
	}

	domain.Devices.Filesystems = []libvirtxml.DomainFilesystem{{
		AccessMode: "passthrough",
		Source:     &libvirtxml.DomainFilesystemSource{Mount: &libvirtxml.DomainFilesystemSourceMount{Dir: c.Root}},
		Target:     &libvirtxml.DomainFilesystemTarget{Dir: "/"},
	}}

	for _, name := range sortedKeys(interfaces) {
		rendered := nic(interfaces[name])
		rendered.Model = nil
		rendered.Guest = &libvirtxml.DomainInterfaceGuest{Dev: name}
		rendered.IP, rendered.Route = c.Networks[name].render()
		domain.Devices.Interfaces = append(domain.Devices.Interfaces, rendered)
	}
}

func (n Network) render() (addresses []libvirtxml.DomainInterfaceIP, routes []libvirtxml.DomainInterfaceRoute) {
	for _, text := range n.Addresses {
		if prefix, err := netip.ParsePrefix(text); err == nil { // the plan has checked it
			addresses = append(addresses, libvirtxml.DomainInterfaceIP{
				Address: prefix.Addr().String(), Family: family(prefix.Addr()), Prefix: uint(prefix.Bits()),
			})
		}
	}

	for _, text := range n.Gateways {
		if gateway, err := netip.ParseAddr(text); err == nil { // as above
			routes = append(routes, libvirtxml.DomainInterfaceRoute{
				Family: family(gateway), Address: map[bool]string{true: "0.0.0.0", false: "::"}[gateway.Is4()], Gateway: text,
			})
		}
	}

	return addresses, routes
}

func family(address netip.Addr) string {
	if address.Is4() {
		return "ipv4"
	}

	return "ipv6"
}

// parseContainer reads what lxc renders, and what others may have written: a container without a share of CPU time has its
// number of vCPUs, and one without a hard limit its memory.
func (s *Spec) parseContainer(domain libvirtxml.Domain) error {
	s.Container = &Container{}

	if domain.OS != nil {
		s.Container.Init = append([]string{domain.OS.Init}, domain.OS.InitArgs...)
	}

	if tune := domain.MemoryTune; tune != nil && tune.HardLimit != nil {
		s.Memory = tune.HardLimit.Value * 1024 // libvirt always prints KiB
	}

	if tune := domain.CPUTune; tune != nil && tune.Quota != nil && tune.Quota.Value > 0 {
		period := uint64(quotaPeriod)
		if tune.Period != nil && tune.Period.Value > 0 {
			period = tune.Period.Value
		}

		s.VCPUs = int((uint64(tune.Quota.Value) + period - 1) / period)
	}

	if domain.VCPU != nil && domain.VCPU.CPUSet != "" {
		set, err := topology.ParseCPUSet(domain.VCPU.CPUSet)
		if err != nil {
			return err
		}

		s.Emulator = set
	}

	if domain.Devices == nil {
		return nil
	}

	for _, system := range domain.Devices.Filesystems {
		if system.Target != nil && system.Target.Dir == "/" && system.Source != nil && system.Source.Mount != nil {
			s.Container.Root = system.Source.Mount.Dir
		}
	}

	s.Container.parseNetworks(domain.Devices.Interfaces, s.Interfaces)

	return nil
}

// parseNetworks finds the interfaces again by their MAC addresses.
func (c *Container) parseNetworks(rendered []libvirtxml.DomainInterface, interfaces map[string]Interface) {
	names := map[string]string{}
	for name, nic := range interfaces {
		names[nic.MAC] = name
	}

	for _, nic := range rendered {
		network := Network{}

		for _, ip := range nic.IP {
			if address, err := netip.ParseAddr(ip.Address); err == nil {
				network.Addresses = append(network.Addresses, netip.PrefixFrom(address, int(ip.Prefix)).String())
			}
		}

		for _, route := range nic.Route {
			network.Gateways = append(network.Gateways, route.Gateway)
		}

		if nic.MAC != nil && len(network.Addresses)+len(network.Gateways) > 0 {
			if c.Networks == nil {
				c.Networks = map[string]Network{}
			}

			c.Networks[names[nic.MAC.Address]] = network
		}
	}
}
