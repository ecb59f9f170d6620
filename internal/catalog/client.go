// Package catalog reads and writes Consul: services with their checks, and keys. Reads are bulk and shared until the
// first write; writes that belong together are one transaction.
package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/consul/api"
)

// DefaultPatience is how long writes wait for a Consul that is away if the configuration does not say.
const DefaultPatience = time.Minute

const (
	// idleLimit is how long an unused connection is kept. It is short because Consul takes only 200 connections from one
	// address (http_max_conns_per_client), and refuses everybody's further ones.
	idleLimit = time.Second
	// idleMost is how many are kept: those of the resources that Terraform works on at a time.
	idleMost = 10
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

	Timeout time.Duration // how long writes wait for a Consul that restarts or elects a leader; DefaultPatience if it is 0
}

// Client talks to one Consul agent or server. It is safe for concurrent use.
type Client struct {
	api     *api.Client
	address string

	mu    sync.Mutex
	reads map[string]*read       // shared reads by what they read
	locks map[string]*sync.Mutex // held from a look to the write that depends on it, by what is written
	made  map[string]*api.Node   // nodes that were not there and have been made, by partition/name

	patience time.Duration
	batch    batch
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

	address := settings.Address // the library takes the scheme off
	if strings.Contains(address, "@") {
		return nil, errors.New("configure the Consul client: the address holds a user name or password, which would stand in error texts. Give them in CONSUL_HTTP_AUTH")
	}

	settings.Transport.IdleConnTimeout, settings.Transport.MaxIdleConnsPerHost = idleLimit, idleMost

	web, err := api.NewHttpClient(settings.Transport, settings.TLSConfig)
	if err != nil {
		return nil, fmt.Errorf("configure TLS to Consul at %s: %w", address, err)
	}

	patience := cmp.Or(config.Timeout, DefaultPatience)
	web.Transport = patient{next: logged{web.Transport}, limit: patience}
	settings.HttpClient = web

	client, err := api.NewClient(settings)
	if err != nil {
		return nil, fmt.Errorf("configure the Consul client for %s: %w", address, err)
	}

	return &Client{
		api: client, address: address, reads: map[string]*read{}, locks: map[string]*sync.Mutex{},
		made: map[string]*api.Node{}, patience: patience,
	}, nil
}

// Address is where the client sends its requests.
func (c *Client) Address() string { return c.address }

// hold keeps others of this process from writing the named thing until the returned function is called.
func (c *Client) hold(name string) (release func()) {
	c.mu.Lock()

	lock, found := c.locks[name]
	if !found {
		lock = &sync.Mutex{}
		c.locks[name] = lock
	}

	c.mu.Unlock()
	lock.Lock()

	return lock.Unlock
}

func or(value, fallback string) string {
	if value != "" {
		return value
	}

	return fallback
}
