package hypervisor_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
)

const (
	// visitInterval is how often a visitor asks, on its old connection and on a new one.
	visitInterval = 20 * time.Millisecond
	// visitPatience is how long it waits for one answer.
	visitPatience = time.Minute
)

// A visitor asks a machine again and again, on one connection that stays open and on a new one each time, and notes what
// fails and how long it had to wait for the next answer.
type visitor struct {
	t       *testing.T
	uptime  float64
	address string
	stop    context.CancelFunc
	done    sync.WaitGroup

	mu       sync.Mutex
	answers  map[string]int
	longest  map[string]time.Duration
	failures []error
}

// visit begins to ask.
func visit(t *testing.T, address string) *visitor {
	t.Helper()

	ctx, cancel := context.WithCancel(t.Context())
	v := &visitor{t: t, uptime: uptime(t, address), address: address, stop: cancel, answers: map[string]int{}, longest: map[string]time.Duration{}}
	t.Cleanup(cancel)

	kept, err := net.DialTimeout("tcp", address+":7", visitPatience)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = kept.Close() })

	lines := bufio.NewReader(kept)

	v.repeat(ctx, "kept connection", func(number int) error { return echo(kept, lines, number) })
	v.repeat(ctx, "new connections", func(int) error {
		_, err := fetch(ctx, address, "uptime")

		return err
	})

	return v
}

func (v *visitor) repeat(ctx context.Context, what string, ask func(number int) error) {
	v.done.Go(func() {
		ticker := time.NewTicker(visitInterval)
		defer ticker.Stop()

		last := time.Now()

		for number := 0; ; number++ {
			err := ask(number)

			v.mu.Lock()

			if err != nil && ctx.Err() == nil {
				v.failures = append(v.failures, fmt.Errorf("%s, request %d: %w", what, number, err))
				v.mu.Unlock()

				return
			}

			now := time.Now()
			v.longest[what] = max(v.longest[what], now.Sub(last))
			v.answers[what]++
			last = now

			v.mu.Unlock()

			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
}

// end stops asking, reports what failed, and says how long the longest gaps were.
func (v *visitor) end() string {
	v.t.Helper()
	v.stop()
	v.done.Wait()

	for _, failure := range v.failures {
		v.t.Error(failure)
	}

	for what, answers := range v.answers {
		if answers == 0 {
			v.t.Errorf("%s: no answer at all", what)
		}
	}

	if now := uptime(v.t, v.address); now <= v.uptime {
		v.t.Errorf("The guest is up for %.1f s, and was for %.1f s: it was restarted", now, v.uptime)
	}

	const kept, fresh = "kept connection", "new connections"

	return fmt.Sprintf("longest gap %s on one connection that was kept (%d answers), %s on new ones (%d answers)",
		v.longest[kept].Round(time.Millisecond), v.answers[kept], v.longest[fresh].Round(time.Millisecond), v.answers[fresh])
}

// echo sends a line and wants it back.
func echo(conn net.Conn, lines *bufio.Reader, number int) error {
	want := strconv.Itoa(number) + "\n"

	if err := conn.SetDeadline(time.Now().Add(visitPatience)); err != nil {
		return err
	}

	if _, err := io.WriteString(conn, want); err != nil {
		return err
	}

	got, err := lines.ReadString('\n')
	if err == nil && got != want {
		err = fmt.Errorf("it echoes %q, want %q", got, want)
	}

	return err
}

// ask has the guest run one of its programs and returns what it says.
func ask(t *testing.T, address, program string) string {
	t.Helper()

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	said, err := answer(ctx, address, program)
	if err != nil {
		t.Fatal(err)
	}

	return said
}

// answer is what the guest says as soon as it can be reached.
func answer(ctx context.Context, address, program string) (said string, err error) {
	err = poll.Until(ctx, "the guest to answer", func(int) (err error) {
		if said, err = fetch(ctx, address, program); err != nil {
			err = fmt.Errorf("%w: %w", poll.ErrNotYet, err)
		}

		return err
	})

	return strings.TrimSpace(said), err
}

func fetch(ctx context.Context, address, program string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, visitPatience)
	defer cancel()

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/cgi-bin/"+program, http.NoBody)
	if err != nil {
		return "", err
	}

	request.Close = true

	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}

	defer func() { _ = response.Body.Close() }()

	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s says %s", program, response.Status)
	}

	return string(body), err
}

func uptime(t *testing.T, address string) float64 {
	t.Helper()

	seconds, err := strconv.ParseFloat(strings.Fields(ask(t, address, "uptime"))[0], 64)
	if err != nil {
		t.Fatal(err)
	}

	return seconds
}
