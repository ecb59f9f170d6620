package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

const redisPassword = "password-of-the-test"

// A redisMember is one machine of the module's example, as a process on an address of the loopback.
type redisMember struct {
	name, host, address, folder string

	files   map[string]string // by the path that they have on the machine
	command *exec.Cmd
	ended   chan struct{}
}

// TestRedisClusterOutlivesTheLossOfAHost forms a cluster of real servers with the configuration and the script that machines get, takes
// the processes of a host with a master away, and sees writes resume and the machines come back, one of them without its data.
func TestRedisClusterOutlivesTheLossOfAHost(t *testing.T) {
	members := redisMembers(t)

	for _, member := range members {
		member.start(t)
	}

	join(t, members)
	wantReplicas(t, members)
	writeKeys(t, members[0], "before")

	views := redisViews(t, members)
	join(t, members)

	if again := redisViews(t, members); again != views {
		t.Errorf("Joining once more changes the cluster from\n%s\nto\n%s", views, again)
	}

	lost := slices.DeleteFunc(slices.Clone(members), func(m *redisMember) bool { return m.host != "alpha" })
	left := slices.DeleteFunc(slices.Clone(members), func(m *redisMember) bool { return m.host == "alpha" })

	if len(lost) < 2 || !slices.ContainsFunc(lost, func(m *redisMember) bool { return m.field(t, "INFO", "role") == "master" }) {
		t.Fatalf("The host to be lost has %d machines and no master.", len(lost))
	}

	began := time.Now()

	for _, member := range lost {
		member.kill(t)
	}

	eventually(t, func() error { return tryKeys(t, left[0], "after") })
	t.Logf("Writes to all slots resumed %.1f s after the loss of %d of %d machines.", time.Since(began).Seconds(), len(lost), len(members))

	// One machine comes back as it was, the others are made anew.
	for _, member := range lost[1:] {
		if err := os.RemoveAll(filepath.Join(member.folder, "data")); err != nil {
			t.Fatal(err)
		}
	}

	for _, member := range lost {
		member.start(t)
	}

	join(t, members)
	wantReplicas(t, members)
	wantKeys(t, members[0], "after")
}

// redisMembers are the machines that the module's example plans, with their files.
func redisMembers(t *testing.T) []*redisMember {
	t.Helper()

	run := inModules(t, "terraform", "redis-cluster/examples/six")
	network := fmt.Sprintf("127.%d.%d", 1+rand.IntN(250), 1+rand.IntN(250))

	if err := run.SetVariables(map[string]any{"subnet": network + ".0/24", "password": redisPassword}); err != nil {
		t.Fatal(err)
	}

	outputs := plannedOutputs(t, run)

	var hosts map[string]string

	var files map[string]map[string]string

	if err := errors.Join(json.Unmarshal(outputs["hosts"], &hosts), json.Unmarshal(outputs["files"], &files)); err != nil {
		t.Fatal(err)
	}

	var members []*redisMember

	for name, host := range hosts {
		number := name[len(name)-1:]
		members = append(members, &redisMember{name: name, host: host, address: network + ".7" + number, folder: t.TempDir(), files: files[name]})
	}

	slices.SortFunc(members, func(a, b *redisMember) int { return strings.Compare(a.name, b.name) })

	if len(members) != 6 {
		t.Fatalf("The example has %d machines.", len(members))
	}

	return members
}

// plannedOutputs are the outputs that a plan knows already.
func plannedOutputs(t *testing.T, run *cli.CLI) map[string]json.RawMessage {
	t.Helper()

	if _, _, err := run.Plan(t.Context(), "-out=plan"); err != nil {
		t.Fatal(err)
	}

	shown, err := run.Run(t.Context(), "show", "-json", "plan")
	if err != nil {
		t.Fatal(err)
	}

	var plan struct {
		Values struct {
			Outputs map[string]struct{ Value json.RawMessage }
		} `json:"planned_values"`
	}

	if err := json.Unmarshal([]byte(shown), &plan); err != nil {
		t.Fatalf("Unable to read the plan: %v", err)
	}

	outputs := map[string]json.RawMessage{}
	for name, output := range plan.Values.Outputs {
		outputs[name] = output.Value
	}

	return outputs
}

// start runs the server with the machine's own configuration, below a folder.
func (m *redisMember) start(t *testing.T) {
	t.Helper()

	data := filepath.Join(m.folder, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}

	configuration := strings.NewReplacer("/etc/redis/", m.folder+"/", "/var/lib/redis", data).Replace(m.files["/etc/redis/redis.conf"])
	write(t, filepath.Join(m.folder, "redis.conf"), configuration)
	write(t, filepath.Join(m.folder, "cluster"), m.files["/etc/redis/cluster"])
	write(t, filepath.Join(m.folder, "join"), m.files["/usr/local/sbin/redis-cluster-join"])
	write(t, filepath.Join(m.folder, "secret.conf"), "requirepass "+redisPassword+"\nmasterauth "+redisPassword+"\n")

	log, err := os.OpenFile(filepath.Join(m.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()

	m.command = exec.CommandContext(t.Context(), "redis-server", filepath.Join(m.folder, "redis.conf"))
	m.command.Stdout, m.command.Stderr = log, log

	if err := m.command.Start(); err != nil {
		t.Fatalf("Unable to start %s: %v", m.name, err)
	}

	ended := make(chan struct{})
	m.ended = ended

	go func() {
		_ = m.command.Wait() // it is killed
		close(ended)
	}()

	t.Cleanup(func() {
		<-ended

		if content, err := os.ReadFile(filepath.Join(m.folder, "log")); t.Failed() {
			t.Logf("The log of %s (%v):\n%s", m.name, err, content)
		}
	})
}

func (m *redisMember) kill(t *testing.T) {
	t.Helper()

	if err := m.command.Process.Kill(); err != nil {
		t.Fatalf("Unable to kill %s: %v", m.name, err)
	}

	<-m.ended
}

// ask asks the server; -c follows the slots to their masters.
func (m *redisMember) ask(t *testing.T, arguments ...string) (string, error) {
	t.Helper()

	command := exec.CommandContext(t.Context(), "redis-cli", append([]string{"-c", "-e", "-h", m.address}, arguments...)...)
	command.Env = append(os.Environ(), "REDISCLI_AUTH="+redisPassword)

	answer, err := command.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("redis-cli %v on %s: %w: %s", arguments, m.name, err, answer)
	}

	return strings.TrimSpace(string(answer)), err
}

// field is a field of what the server says about itself, or empty.
func (m *redisMember) field(t *testing.T, command, name string) string {
	t.Helper()

	answer, err := m.ask(t, strings.Fields(command)...)
	if err != nil {
		return ""
	}

	for line := range strings.Lines(answer) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), name+":"); found {
			return value
		}
	}

	return ""
}

// join runs the script on all machines at once, and again on each until it is content, as its unit does.
func join(t *testing.T, members []*redisMember) {
	t.Helper()

	var all sync.WaitGroup

	for _, member := range members {
		all.Go(func() {
			eventually(t, func() error {
				printed, err := exec.CommandContext(t.Context(), "sh", filepath.Join(member.folder, "join"), filepath.Join(member.folder, "cluster"),
					filepath.Join(member.folder, "secret.conf")).CombinedOutput()
				if err != nil {
					return fmt.Errorf("%s does not join: %w: %s", member.name, err, printed)
				}

				return nil
			})
		})
	}

	all.Wait()
}

// wantReplicas waits until all slots are served, and each master has a replica that follows it on another host.
func wantReplicas(t *testing.T, members []*redisMember) {
	t.Helper()

	hosts := map[string]string{}
	for _, member := range members {
		hosts[member.address] = member.host
	}

	eventually(t, func() error {
		masters := 0

		for _, member := range members {
			if state, slots := member.field(t, "CLUSTER INFO", "cluster_state"), member.field(t, "CLUSTER INFO", "cluster_slots_ok"); state != "ok" || slots != "16384" {
				return fmt.Errorf("for %s the cluster is %q with %q slots", member.name, state, slots)
			}

			if member.field(t, "INFO", "role") == "master" {
				masters++

				continue
			}

			master := member.field(t, "INFO", "master_host")
			if hosts[master] == member.host || member.field(t, "INFO", "master_link_status") != "up" {
				return fmt.Errorf("%s on %s follows %s on %s: %s", member.name, member.host, master, hosts[master], member.field(t, "INFO", "master_link_status"))
			}
		}

		if masters != len(members)/2 {
			return fmt.Errorf("%d of %d machines are masters", masters, len(members))
		}

		return nil
	})
}

// redisViews is what each machine sees of the others' parts, without what changes by the second.
func redisViews(t *testing.T, members []*redisMember) string {
	t.Helper()

	var views []string

	for _, member := range members {
		answer, err := member.ask(t, "CLUSTER", "NODES")
		if err != nil {
			t.Fatal(err)
		}

		for line := range strings.Lines(answer) {
			words := strings.Fields(line)
			views = append(views, fmt.Sprint(member.name, words[:4], words[8:]))
		}
	}

	slices.Sort(views)

	return strings.Join(views, "\n")
}

const redisKeys = 24 // spread over the slots of all masters

func tryKeys(t *testing.T, member *redisMember, value string) error {
	t.Helper()

	for n := range redisKeys {
		if answer, err := member.ask(t, "SET", "key-"+strconv.Itoa(n), value); err != nil || answer != "OK" {
			return fmt.Errorf("set key-%d: %q: %w", n, answer, err)
		}
	}

	return nil
}

func writeKeys(t *testing.T, member *redisMember, value string) {
	t.Helper()

	if err := tryKeys(t, member, value); err != nil {
		t.Fatal(err)
	}
}

func wantKeys(t *testing.T, member *redisMember, value string) {
	t.Helper()

	for n := range redisKeys {
		if answer, err := member.ask(t, "GET", "key-"+strconv.Itoa(n)); err != nil || answer != value {
			t.Errorf("key-%d is %q, want %q (%v)", n, answer, value, err)
		}
	}
}
