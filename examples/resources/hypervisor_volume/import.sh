# An empty volume or an overlay: host/pool/name.
terraform import hypervisor_volume.root alpha/default/web-1.qcow2

# A volume that was made from an image: the file is compared with what is on the host, which may have grown since.
terraform import hypervisor_volume.debian 'alpha/default/debian-12.qcow2?file=./debian-12-genericcloud-amd64.qcow2'

# The same of one that was downloaded.
terraform import hypervisor_volume.ubuntu 'alpha/default/ubuntu.qcow2?checksum=sha256:SUM&url=https://images.example.com/ubuntu.qcow2'
