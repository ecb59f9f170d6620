package modules_test

import (
	"errors"
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// leavingIsKnownFirst runs what the unit of a web machine runs at shutdown, while the servers hold still.
func (c *cluster) leavingIsKnownFirst(t *testing.T) {
	for _, name := range c.servers {
		c.members[name].daemon.Pause()
		t.Cleanup(c.members[name].daemon.Resume)
	}

	leave := c.script(t, "web-1", "consul-leave-web")
	leave.Env = append(leave.Env, "CONSUL_HTTP_TOKEN="+consulTokens["services"])

	left := begin(leave)
	agent := c.client(t, "web-1", consulTokens["services"]).Agent()

	eventually(t, func() error {
		checks, err := agent.Checks()
		if err == nil && checks["_service_maintenance:web-1"] == nil {
			err = errors.New("the agent of web-1 does not know that its service leaves")
		}

		return err
	})

	select {
	case err := <-left:
		t.Fatalf("The machine stops although no server knows that it leaves: %v", err)
	case <-time.After(3 * time.Second): // longer than it drains
	}

	for _, name := range c.servers {
		c.members[name].daemon.Resume()
	}

	if err := <-left; err != nil {
		t.Fatal(err)
	}

	if instances, _, err := c.secure(t, c.servers[0]).Health().Service("web", "", true, nil); err != nil || len(instances) > 0 {
		t.Errorf("The machine stops while the servers send requests to it: %v, %v", instances, err)
	}

	if err := agent.DisableServiceMaintenance("web-1"); err != nil {
		t.Fatal(err)
	}

	eventually(t, func() error { return c.resolves("web-1") })
}

// majorityIsLeftBehind runs what the unit of the leader runs at shutdown, while another server holds still.
func (c *cluster) majorityIsLeftBehind(t *testing.T) {
	leader, other := c.leader(t)
	c.members[other].daemon.Pause()
	t.Cleanup(c.members[other].daemon.Resume)

	tolerates := func(want int) {
		eventually(t, func() error {
			health, err := c.secure(t, leader).Operator().AutopilotServerHealth(nil)
			if err == nil && health.FailureTolerance != want {
				err = fmt.Errorf("%d servers may be lost", health.FailureTolerance)
			}

			return err
		})
	}

	tolerates(0)

	gone := begin(c.script(t, leader, "consul-yield"))

	select {
	case err := <-gone:
		t.Fatalf("The server stops although two of three would be away: %v", err)
	case <-time.After(3 * time.Second):
	}

	c.members[other].daemon.Resume()

	if err := <-gone; err != nil {
		t.Fatal(err)
	}

	tolerates(1)

	if now, _ := c.leader(t); now == leader {
		t.Errorf("%s stops as the leader", leader)
	}
}

// begin runs a program, and says at its end how that was.
func begin(command *exec.Cmd) <-chan error {
	ended := make(chan error, 1)

	go func() { ended <- finish(command) }()

	return ended
}
