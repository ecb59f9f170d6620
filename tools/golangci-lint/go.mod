module github.com/baiyi-infra/terraform-provider-hypervisor/tools/golangci-lint

go 1.26
