package network

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/networkxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const description = `A virtual network of a libvirt host, for the interfaces of its machines.

DHCP ranges and reservations change while the network runs, and its machines notice nothing. Everything else replaces the
network, which the plan says. A network that is off is started again by the next apply.

A network is not deleted, and so not replaced either, while a machine is attached to it, be it Terraform's or not: libvirt
would cut the machine off.`

func networkSchema(ctx context.Context) schema.Schema {
	replace := []planmodifier.String{stringplanmodifier.RequiresReplace()}

	return schema.Schema{
		MarkdownDescription: description,
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "The network's id, `host/name`.",
				Computed:            true,
			},
			"host": schema.StringAttribute{
				MarkdownDescription: "Name of the host in the provider block.",
				Required:            true,
				PlanModifiers:       replace,
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the network on its host. Interfaces of machines refer to it.",
				Required:            true,
				Validators:          []validator.String{nameValidator()},
				PlanModifiers:       replace,
			},
			"mode": modeAttribute(),
			"bridge": schema.StringAttribute{
				MarkdownDescription: "Name of the bridge on the host. With mode `bridge` and `openvswitch` the one that is there, such as `br0`; otherwise the one that comes and goes with the network, by default `virbr` and a number.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{bridgeValidator()},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplaceIfConfigured()},
			},
			"domain": schema.StringAttribute{
				MarkdownDescription: "DNS domain of the machines, such as `lan.example`. Defaults to none.",
				Optional:            true,
				Validators:          []validator.String{domainValidator()},
				PlanModifiers:       replace,
			},
			"addresses": schema.SetAttribute{
				MarkdownDescription: "Addresses of the host in the network, with the length of their prefix, such as `10.0.0.1/24` and `fd00:1::1/64`. Machines have them as their gateway and DNS server. Defaults to none.",
				ElementType:         types.StringType,
				Optional:            true,
				Validators:          []validator.Set{setvalidator.ValueStringsAre(addressValidator{subnet: true})},
				PlanModifiers:       []planmodifier.Set{setplanmodifier.RequiresReplace()},
			},
			"vlans": vlansAttribute(),
			"dhcp":  dhcpAttribute(),
			"autostart": schema.BoolAttribute{
				MarkdownDescription: "Whether the network starts when its host does. Defaults to `true`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
			"running": schema.BoolAttribute{
				MarkdownDescription: "Whether the network runs. One that does not is started by the next apply.",
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
			"timeouts": tf.Timeouts(ctx, limits),
		},
	}
}

func modeAttribute() schema.Attribute {
	return schema.StringAttribute{
		MarkdownDescription: "How machines reach what is outside: `nat`, through the host's address (IPv6 is routed); `routed`, with their own addresses, to which " +
			"the networks around need a route; `isolated`, not at all; `bridge`, on a bridge of the host that is there already; `openvswitch`, on one of Open vSwitch.",
		Required:      true,
		Validators:    []validator.String{stringvalidator.OneOf(networkxml.NAT, networkxml.Routed, networkxml.Isolated, networkxml.Bridge, networkxml.OpenVSwitch)},
		PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
	}
}

func vlansAttribute() schema.Attribute {
	return schema.SetAttribute{
		MarkdownDescription: "VLANs of the machines on a bridge of Open vSwitch, from 1 to 4094. One is the machines' own, and they know nothing of it; of several they tag what they send themselves. Defaults to none.",
		ElementType:         types.Int64Type,
		Optional:            true,
		Validators:          []validator.Set{setvalidator.SizeAtLeast(1), setvalidator.ValueInt64sAre(int64validator.Between(1, 4094))},
		PlanModifiers:       []planmodifier.Set{setplanmodifier.RequiresReplace()},
	}
}

func dhcpAttribute() schema.Attribute {
	address := []validator.String{addressValidator{}}

	return schema.SingleNestedAttribute{
		MarkdownDescription: "What the network's DHCP server hands out, in one subnet of IPv4 and one of IPv6 at most. Changed on the running network. Defaults to no DHCP.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"ranges": schema.SetNestedAttribute{
				MarkdownDescription: "Ranges of addresses for machines without a reservation.",
				Optional:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"start": schema.StringAttribute{MarkdownDescription: "First address of the range.", Required: true, Validators: address},
					"end":   schema.StringAttribute{MarkdownDescription: "Last address of the range.", Required: true, Validators: address},
				}},
			},
			"hosts": schema.MapNestedAttribute{
				MarkdownDescription: "Reserved addresses by the machine's host name, which the DNS of the network then knows. A key that is the MAC itself reserves without a name.",
				Optional:            true,
				Validators:          []validator.Map{mapvalidator.KeysAre(guestValidator())},
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"mac":     schema.StringAttribute{MarkdownDescription: "MAC of the machine's interface, in lower case.", Required: true, Validators: []validator.String{macValidator()}},
					"address": schema.StringAttribute{MarkdownDescription: "IPv4 address that the machine gets.", Required: true, Validators: address},
				}},
			},
		},
	}
}
