package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/pair"
	"github.com/hashicorp/consul/api"
)

// shared is what the members have in Consul: the lock, the record, and what each tells of itself. Both the lock and what a
// member tells are bound to its session, which ends with its node.
type shared struct {
	config  Config
	client  *api.Client
	session string
	renewed time.Time
	told    member
	writer  bool // whether this member's server is announced as the writer
	reader  bool

	looked map[string]time.Time // when a service was registered or seen in the catalog
}

// member is what a member tells of itself.
type member struct {
	Lineage   string `json:"lineage"`
	Following string `json:"following"`
	Streaming bool   `json:"streaming"`
	Received  uint64 `json:"received"`
}

// seen is one consistent read.
type seen struct {
	holder string
	record pair.Record
	index  uint64 // of the record, 0 if there is none
	other  member // empty if it has not told of itself lately
}

func newShared(config Config, client *api.Client) *shared {
	return &shared{config: config, client: client, looked: map[string]time.Time{}}
}

func (s *shared) folder() string { return "mysql-pair/" + s.config.Pair + "/" }

func (s *shared) memberKey(name string) string { return s.folder() + "members/" + name }

// read tells of this member and reads everything, for a majority of Consul's servers.
func (s *shared) read(ctx context.Context, self member, up bool) (seen, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	pairs, _, err := s.client.KV().List(s.folder(), (&api.QueryOptions{RequireConsistent: true}).WithContext(ctx))
	if err != nil {
		return seen{}, fmt.Errorf("read the pair from Consul: %w", err)
	}

	var (
		result seen
		told   bool
		lock   *api.KVPair
	)

	for _, entry := range pairs {
		switch entry.Key {
		case s.folder() + "lock":
			lock = entry
		case s.folder() + "record":
			result.index = entry.ModifyIndex
			err = json.Unmarshal(entry.Value, &result.record)
		case s.memberKey(s.config.Member):
			told = entry.Session != "" && entry.Session == s.session
		case s.memberKey(s.config.Other):
			if entry.Session != "" {
				err = json.Unmarshal(entry.Value, &result.other)
			}
		}

		if err != nil {
			return seen{}, fmt.Errorf("read %s from Consul: %w", entry.Key, err)
		}
	}

	if lock != nil && lock.Session != "" {
		result.holder = string(lock.Value)
	}

	if err := s.open(ctx, lock); err != nil {
		return seen{}, err
	}

	if up && (!told || s.told != self) {
		return result, s.tell(ctx, self)
	}

	return result, nil
}

// open renews this member's session or begins one. The session of an earlier run of the agent that still holds the lock is
// taken over with it.
func (s *shared) open(ctx context.Context, lock *api.KVPair) error {
	if s.session == "" && lock != nil && string(lock.Value) == s.config.Member {
		s.session = lock.Session
	}

	if s.session != "" {
		if time.Since(s.renewed) < s.config.SessionTTL/3 {
			return nil
		}

		entry, _, err := s.client.Session().Renew(s.session, (&api.WriteOptions{}).WithContext(ctx))
		if err != nil {
			return fmt.Errorf("renew the session: %w", err)
		}

		if entry != nil {
			s.renewed = time.Now()

			return nil
		}
	}

	id, _, err := s.client.Session().Create(&api.SessionEntry{
		Name: "mysql-pair " + s.config.Pair + " " + s.config.Member, TTL: s.config.SessionTTL.String(), LockDelay: s.config.LockDelay,
		Behavior: api.SessionBehaviorRelease,
	}, (&api.WriteOptions{}).WithContext(ctx))
	if err != nil {
		return fmt.Errorf("begin a session: %w", err)
	}

	s.session, s.renewed = id, time.Now()

	return nil
}

func (s *shared) tell(ctx context.Context, self member) error {
	text, err := json.Marshal(self)
	if err != nil {
		return fmt.Errorf("tell of this member: %w", err)
	}

	done, _, err := s.client.KV().Acquire(&api.KVPair{Key: s.memberKey(s.config.Member), Value: text, Session: s.session},
		(&api.WriteOptions{}).WithContext(ctx))
	if err != nil {
		return fmt.Errorf("tell of this member: %w", err)
	}

	if done { // otherwise an earlier session still holds the key, for as long as the lock's delay
		s.told = self
	}

	return nil
}

// renewUntil keeps the session while the agent is busy.
func (s *shared) renewUntil(ctx context.Context) {
	ticker := time.NewTicker(s.config.SessionTTL / 3)
	defer ticker.Stop()

	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_, _, _ = s.client.Session().Renew(s.session, (&api.WriteOptions{}).WithContext(ctx)) // the next look sees what became of it
		}
	}
}

func (s *shared) acquire(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	_, _, err := s.client.KV().Acquire(s.lock(), (&api.WriteOptions{}).WithContext(ctx))
	if err != nil {
		return fmt.Errorf("take the lock: %w", err)
	}

	return nil
}

func (s *shared) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	if _, _, err := s.client.KV().Release(s.lock(), (&api.WriteOptions{}).WithContext(ctx)); err != nil {
		return fmt.Errorf("give the lock up: %w", err)
	}

	return nil
}

func (s *shared) lock() *api.KVPair {
	return &api.KVPair{Key: s.folder() + "lock", Value: []byte(s.config.Member), Session: s.session}
}

// write changes the record, if this member's session holds the lock and the record is the one that was seen. It returns
// false if Consul says that it was not changed; after an error nobody knows.
func (s *shared) write(ctx context.Context, record pair.Record, seen seen) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	text, err := json.Marshal(record)
	if err != nil {
		return false, fmt.Errorf("change the record: %w", err)
	}

	done, _, _, err := s.client.Txn().Txn(api.TxnOps{
		{KV: &api.KVTxnOp{Verb: api.KVCheckSession, Key: s.folder() + "lock", Session: s.session}},
		{KV: &api.KVTxnOp{Verb: api.KVCAS, Key: s.folder() + "record", Value: text, Index: seen.index}},
	}, (&api.QueryOptions{}).WithContext(ctx))
	if err != nil {
		return false, fmt.Errorf("change the record: %w", err)
	}

	return done, nil
}

// record reads the record alone, for a majority of Consul's servers.
func (s *shared) record(ctx context.Context) (pair.Record, error) {
	var record pair.Record

	entry, _, err := s.client.KV().Get(s.folder()+"record", (&api.QueryOptions{RequireConsistent: true}).WithContext(ctx))
	if err != nil {
		return record, fmt.Errorf("read the record from Consul: %w", err)
	}

	if entry == nil {
		return record, nil
	}

	if err := json.Unmarshal(entry.Value, &record); err != nil {
		return record, fmt.Errorf("read the record from Consul: %w", err)
	}

	return record, nil
}

const (
	serviceCheckTTL = 5 * time.Second // how long a service stays that the agent no longer speaks for
	lookAgain       = 2 * time.Second // whether a service is in the catalog
)

// announce makes the services be what the server is.
func (s *shared) announce(ctx context.Context, writer, reader bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	return errors.Join(
		s.announceOne(ctx, s.config.Writer, &s.writer, writer),
		s.announceOne(ctx, s.config.Reader, &s.reader, reader),
	)
}

func (s *shared) announceOne(ctx context.Context, name string, now *bool, want bool) error {
	id := s.config.Pair + "-" + name + "-" + s.config.Member
	agent := s.client.Agent()

	if !want {
		*now = false

		var status api.StatusError
		if err := agent.ServiceDeregisterOpts(id, (&api.QueryOptions{}).WithContext(ctx)); err != nil && (!errors.As(err, &status) || status.Code != 404) {
			return fmt.Errorf("withdraw service %q: %w", id, err)
		}

		return nil
	}

	if *now && !s.missing(ctx, name, id) {
		err := agent.UpdateTTLOpts("service:"+id, "", api.HealthPassing, (&api.QueryOptions{}).WithContext(ctx))
		if err == nil {
			return nil
		} // a Consul agent that was started anew does not know the service
	}

	host, port, err := net.SplitHostPort(s.config.Address)
	if err != nil {
		return fmt.Errorf("register service %q: %w", id, err)
	}

	number, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("register service %q: %w", id, err)
	}

	err = agent.ServiceRegisterOpts(&api.AgentServiceRegistration{
		ID: id, Name: name, Address: host, Port: number, Meta: map[string]string{"registered": time.Now().Format(time.RFC3339)},
		Check: &api.AgentServiceCheck{CheckID: "service:" + id, TTL: serviceCheckTTL.String(), Status: api.HealthPassing},
	}, api.ServiceRegisterOpts{}.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("register service %q: %w", id, err)
	}

	*now, s.looked[name] = true, time.Now()

	return nil
}

// missing says whether the catalog lacks a service that was registered. Consul's agent tells its servers of it once: if that fails,
// as while a leader is elected, it tries again in a minute, or when the service becomes another one.
func (s *shared) missing(ctx context.Context, name, id string) bool {
	if time.Since(s.looked[name]) < lookAgain {
		return false
	}

	ctx, cancel := context.WithTimeout(ctx, patience/4)
	defer cancel()

	entries, _, err := s.client.Health().Service(name, "", false, (&api.QueryOptions{AllowStale: true}).WithContext(ctx))
	if err != nil {
		return false // nobody knows
	}

	s.looked[name] = time.Now()

	return !slices.ContainsFunc(entries, func(entry *api.ServiceEntry) bool { return entry.Service.ID == id })
}
