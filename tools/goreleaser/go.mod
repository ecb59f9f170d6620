module github.com/baiyi-infra/terraform-provider-hypervisor/tools/goreleaser

go 1.26
