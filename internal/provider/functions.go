package provider

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/hypervisor/placement"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/provider"
)

var _ provider.ProviderWithFunctions = hypervisorProvider{}

// Functions lists what modules may call as provider::hypervisor::name.
func (p hypervisorProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{
		placement.NewFunction,
	}
}
