// Package catalog reads and writes Consul: services with their checks, and keys. Reads are bulk and shared until the
// first write; writes that belong together are one transaction.
package catalog

import (
	"fmt"
	"sync"

	"github.com/hashicorp/consul/api"
)

// Config says how Consul is reached. A field that is empty falls back to Consul's usual environment variable
// (CONSUL_HTTP_ADDR, CONSUL_HTTP_TOKEN, CONSUL_CACERT and so on) and then to Consul's default.
type Config struct {
	Address    string // "https://10.0.0.21:8501"
	Datacenter string
	Token      string // secret
	TokenFile  string
	CAFile     string
	CertFile   string // client certificate, for mutual TLS
	KeyFile    string
	ServerName string // name that the server's certificate must have, if it is not the address's
}

// Client talks to one Consul agent or server. It is safe for concurrent use.
type Client struct {
	api     *api.Client
	address string

	mu    sync.Mutex
	reads map[string]*read // shared reads by what they read
}

// New makes a client. It sends nothing: the server is reached on first use.
func New(config Config) (*Client, error) {
	settings := api.DefaultConfig()
	settings.Address = or(config.Address, settings.Address)
	settings.Datacenter = config.Datacenter
	settings.Token = or(config.Token, settings.Token)
	settings.TokenFile = or(config.TokenFile, settings.TokenFile)
	settings.TLSConfig.CAFile = or(config.CAFile, settings.TLSConfig.CAFile)
	settings.TLSConfig.CertFile = or(config.CertFile, settings.TLSConfig.CertFile)
	settings.TLSConfig.KeyFile = or(config.KeyFile, settings.TLSConfig.KeyFile)
	settings.TLSConfig.Address = or(config.ServerName, settings.TLSConfig.Address)

	client, err := api.NewClient(settings)
	if err != nil {
		return nil, fmt.Errorf("configure the Consul client for %s: %w", settings.Address, err)
	}

	return &Client{api: client, address: settings.Address, reads: map[string]*read{}}, nil
}

// Address is where the client sends its requests.
func (c *Client) Address() string { return c.address }

func or(value, fallback string) string {
	if value != "" {
		return value
	}

	return fallback
}
