package modules_test

import (
	"errors"
	"fmt"
	"testing"
)

// redis is a machine of the pair: its server unless it is the witness, its sentinel and its guard.
type redis struct{ *machine }

// TestRedisPairFollowsTheMajority runs what the module tells two servers and a witness.
func TestRedisPairFollowsTheMajority(t *testing.T) {
	told := render(t, read(t, "testdata/redis.tf"), map[string]any{})
	lan := newLAN(t)
	pair := map[string]redis{}

	for name, address := range map[string]string{"redis-1": "10.0.0.81", "redis-2": "10.0.0.82", "redis-3": "10.0.0.83"} {
		pair[name] = redis{lan.add(t, name, address, told[name], "supervised auto", "supervised no")}
		pair[name].boot(t, name != "redis-3")
	}

	first, second := pair["redis-1"], pair["redis-2"]

	t.Run("the first takes writes and the second copies them", func(t *testing.T) {
		eventually(t, func() error { return errors.Join(first.is(t, "writer"), second.is(t, "reader")) })
		eventually(t, func() error { return first.write(t, "a") })
		eventually(t, func() error { return second.has(t, "a") })
	})

	t.Run("when its machine is lost the second takes writes alone", func(t *testing.T) {
		first.cut(t)
		eventually(t, func() error { return errors.Join(second.is(t, "writer"), second.write(t, "b")) })
	})

	t.Run("cut off, the first takes none", func(t *testing.T) {
		eventually(t, func() error {
			if first.is(t, "writer") == nil || first.write(t, "lost") == nil {
				return errors.New("it takes writes that nobody will keep")
			}

			return nil
		})
	})

	t.Run("back again, it follows", func(t *testing.T) {
		first.connect(t)
		eventually(t, func() error { return errors.Join(first.is(t, "reader"), first.has(t, "b")) })
	})

	t.Run("before its machine stops the second hands over", func(t *testing.T) {
		eventually(t, func() error {
			if said, err := second.run(t, second.path("/usr/local/sbin/redis-yield")); err != nil {
				return fmt.Errorf("hand over: %w: %s", err, said)
			}

			return errors.Join(first.is(t, "writer"), first.write(t, "c"))
		})
	})
}

// boot starts what the machine runs.
func (r redis) boot(t *testing.T, server bool) {
	t.Helper()

	for _, folder := range []string{"/var/lib/redis/made", "/var/log/redis/made"} {
		write(t, r.path(folder), "")
	}

	r.start(t, "redis-server", r.path("/etc/redis/sentinel.conf"), "--sentinel")

	if server {
		r.start(t, "redis-server", r.path("/etc/redis/redis.conf"))
		r.start(t, r.path("/usr/local/sbin/redis-guard"))
	}
}

// is asks as Consul's agent does.
func (r redis) is(t *testing.T, role string) error {
	t.Helper()

	if said, err := r.run(t, r.path("/usr/local/sbin/redis-role"), role); err != nil {
		return fmt.Errorf("%s is no %s: %s", r.name, role, said)
	}

	return nil
}

func (r redis) write(t *testing.T, key string) error {
	t.Helper()

	if said, err := r.client(t, "SET", key, "1"); err != nil || said != "OK" {
		return fmt.Errorf("%s does not take a write: %s", r.name, said)
	}

	return nil
}

func (r redis) has(t *testing.T, key string) error {
	t.Helper()

	if said, err := r.client(t, "GET", key); err != nil || said != "1" {
		return fmt.Errorf("%s does not have %s: %s", r.name, key, said)
	}

	return nil
}

func (r redis) client(t *testing.T, command ...string) (string, error) {
	t.Helper()

	return r.run(t, append([]string{"env", "REDISCLI_AUTH=only-for-the-tests", "redis-cli", "-h", "127.0.0.1"}, command...)...)
}
