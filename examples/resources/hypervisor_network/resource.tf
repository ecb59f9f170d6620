# A network behind the host's address. Ranges and reservations change while machines use it.
resource "hypervisor_network" "lan" {
  host      = "alpha"
  name      = "lan"
  mode      = "nat"
  domain    = "lan.example"
  addresses = ["10.20.0.1/24", "fd00:20::1/64"]

  dhcp = {
    ranges = [{ start = "10.20.0.100", end = "10.20.0.199" }]
    hosts = {
      web-1 = { mac = "52:54:00:20:00:11", address = "10.20.0.11" }
      web-2 = { mac = "52:54:00:20:00:12", address = "10.20.0.12" }
    }
  }
}

# A name for a bridge that the host has. Libvirt serves nothing on it.
resource "hypervisor_network" "office" {
  host   = "alpha"
  name   = "office"
  mode   = "bridge"
  bridge = "br0"
}

# A VLAN on a bridge of Open vSwitch: the machines on it know nothing of the tag.
resource "hypervisor_network" "storage" {
  host   = "alpha"
  name   = "storage"
  mode   = "openvswitch"
  bridge = "ovs0"
  vlans  = [42]
}
