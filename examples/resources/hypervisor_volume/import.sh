# An empty volume or an overlay: host/pool/name.
terraform import hypervisor_volume.root alpha/default/web-1.qcow2

# A volume that was made from an image: the file is compared with what is on the host, which may have grown since.
terraform import hypervisor_volume.debian 'alpha/default/debian-12.qcow2?file=./debian-12-genericcloud-amd64.qcow2'

# One that was downloaded has its checksum and its address there instead of a file:
# 'alpha/default/ubuntu-24.04.img?checksum=sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08&url=https://images.example.com/ubuntu-24.04-server-cloudimg-amd64.img'
