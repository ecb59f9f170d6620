package provider

import (
	"regexp"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/objectvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// portPattern is a number from 1 to 99999 without leading zeros; no entry point listens on one above 65535.
var portPattern = regexp.MustCompile(`^[1-9][0-9]{0,4}$`)

func providerSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "Runs a few bare-metal servers like a cloud: virtual machines pinned to physical cores on " +
			"libvirt hosts, their services in Consul, and the routes to them in a gateway.",
		Attributes: map[string]schema.Attribute{
			"hosts":   hostsAttribute(),
			"consul":  consulAttribute(),
			"gateway": gatewayAttribute(),
		},
	}
}

func hostsAttribute() schema.Attribute {
	return schema.MapNestedAttribute{
		MarkdownDescription: "The hosts, by the names that resources use for them. A host is reached on first use, and " +
			"one that is down fails its own resources only.",
		Optional: true,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"uri": schema.StringAttribute{
				MarkdownDescription: "Libvirt's connection URI, such as `qemu+ssh://root@10.0.0.11/system`, or one that begins with `lxc` or `xen`. SSH host keys are " +
					"checked against the `known_hosts` file of whoever runs Terraform.",
				Required:   true,
				Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"connect_timeout": schema.StringAttribute{
				MarkdownDescription: "How long a connection to the host may take before its resources fail. Defaults to `10s`.",
				CustomType:          tf.DurationType(),
				Optional:            true,
			},
			"migration_uri": schema.StringAttribute{
				MarkdownDescription: "Where other hosts reach this one's QEMU when a machine moves here, such as `tcp://10.1.0.12` on a network of its own. Defaults to the host name that its libvirt says.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"peer_uri": schema.StringAttribute{
				MarkdownDescription: "Libvirt's connection URI of this host as other hosts reach it, such as `qemu+tls://beta/system`. With it the host that a machine leaves directs the move, which then goes on if Terraform is killed. Defaults to Terraform directing both hosts.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
		}},
	}
}

func consulAttribute() schema.Attribute {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{MarkdownDescription: description, Optional: true}
	}

	token := text("ACL token. Prefer `token_file` or `CONSUL_HTTP_TOKEN`; an ephemeral value may be used here. Never stored.")
	token.Sensitive = true

	tokenFile := text("File that holds the ACL token; either this or `token`. Defaults to `CONSUL_HTTP_TOKEN_FILE`.")
	tokenFile.Validators = []validator.String{stringvalidator.ConflictsWith(path.MatchRelative().AtParent().AtName("token"))}

	return schema.SingleNestedAttribute{
		MarkdownDescription: "How Consul is reached. What is left out comes from Consul's usual environment variables.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"address":    text("Address of an agent or server, such as `https://10.0.0.21:8501`. Defaults to `CONSUL_HTTP_ADDR`, then `127.0.0.1:8500`."),
			"datacenter": text("Datacenter that requests are for. Defaults to the agent's own."),
			"token":      token,
			"token_file": tokenFile,
			"ca_file":    text("PEM file of the certificate authority that the server's certificate is verified against. Defaults to `CONSUL_CACERT`, then the system's."),
			"cert_file":  text("PEM file of the client certificate, for mutual TLS. Defaults to `CONSUL_CLIENT_CERT`."),
			"key_file":   text("PEM file of the client certificate's key. Defaults to `CONSUL_CLIENT_KEY`."),
			"timeout": schema.StringAttribute{
				MarkdownDescription: "How long an apply waits for a Consul that restarts or elects a leader. Defaults to `1m`.",
				CustomType:          tf.DurationType(),
				Optional:            true,
			},
			"server_name": text("Name that the server's certificate must have if it is not the address's. Defaults to `CONSUL_TLS_SERVER_NAME`."),
		},
	}
}

var workspacePattern = regexp.MustCompile(`^[0-9A-Za-z._~-]+$`)

func kongAttribute(validators ...validator.Object) schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "A Kong gateway, configured through its Admin API.",
		Optional:            true,
		Validators:          validators,
		Attributes: map[string]schema.Attribute{
			"admin_url": schema.StringAttribute{
				MarkdownDescription: "URL of the Admin API, such as `https://10.0.0.31:8444`.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"token": schema.StringAttribute{
				MarkdownDescription: "Token sent as `Kong-Admin-Token`. Defaults to the environment variable `KONG_ADMIN_TOKEN`. Never stored.",
				Optional:            true,
				Sensitive:           true,
			},
			"token_file": schema.StringAttribute{
				MarkdownDescription: "File that holds the token; either this or `token`. Defaults to the environment variable `KONG_ADMIN_TOKEN_FILE`.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.ConflictsWith(path.MatchRelative().AtParent().AtName("token"))},
			},
			"workspace": schema.StringAttribute{
				MarkdownDescription: "Workspace of an Enterprise edition that the objects are in. Defaults to Kong's own, `default`.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(workspacePattern, "must consist of letters, digits, '.', '-', '_' and '~'")},
			},
			"ca_file": schema.StringAttribute{
				MarkdownDescription: "PEM file of the certificate authority that the Admin API's certificate is verified against. Defaults to the system's.",
				Optional:            true,
			},
		},
	}
}

func gatewayAttribute() schema.Attribute {
	one := objectvalidator.ExactlyOneOf(path.MatchRelative().AtParent().AtName("kong"), path.MatchRelative().AtParent().AtName("traefik"))

	return schema.SingleNestedAttribute{
		MarkdownDescription: "The gateway: either `kong` or `traefik`. The same `gateway_*` resources work on both.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"kong": kongAttribute(one),
			"traefik": schema.SingleNestedAttribute{
				MarkdownDescription: "Traefik gateways, configured through Consul's key-value store (their `providers.consul`) and " +
					"fed with instances from Consul's catalog (their `providers.consulCatalog`).",
				Optional: true,
				Attributes: map[string]schema.Attribute{
					"key_prefix": schema.StringAttribute{
						MarkdownDescription: "Root of the configuration in the store, Traefik's `providers.consul.rootKey`. Defaults to `traefik`.",
						Optional:            true,
					},
					"entry_points": schema.ListAttribute{
						MarkdownDescription: "Entry points that routes listen on. Defaults to those that Traefik's own configuration marks as default.",
						ElementType:         types.StringType,
						Optional:            true,
					},
					"ports": schema.MapAttribute{
						MarkdownDescription: "Entry points by their ports, such as `{ 5432 = \"postgres\" }`, for routes of TCP and TLS connections. Defaults to none.",
						ElementType:         types.StringType,
						Optional:            true,
						Validators: []validator.Map{
							mapvalidator.KeysAre(stringvalidator.RegexMatches(portPattern, "must be a port, a number from 1 to 65535")),
						},
					},
				},
			},
		},
	}
}
