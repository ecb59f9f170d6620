package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/miekg/dns"
)

const (
	shopHost       = "shop.example.com"
	serviceName    = "up.service.consul."
	requestTimeout = 5 * time.Second
	askInterval    = 100 * time.Millisecond
)

// showMachines compares what was asked for with what the kernel does.
func (p *parts) showMachines(context.Context) error {
	fmt.Println("\nMachines:")

	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  NAME\tHOST\tASKED FOR\tTHE KERNEL HOLDS\tADDRESS")

	for _, name := range slices.Sorted(maps.Keys(p.machines)) {
		m := p.machines[name]

		threads, err := p.hosts[m.Host].Threads(name)
		if err != nil {
			return err
		}

		asked, held := []string{"emulator on " + m.Emulator}, []string{"emulator on " + threads[0].CPUs}

		for vcpu, pin := range m.Pins {
			asked = append(asked, fmt.Sprintf("vCPU %d on %s", vcpu, pin))
		}

		for _, thread := range threads {
			if vcpu, found := strings.CutPrefix(thread.Name, "CPU "); found {
				number, _, _ := strings.Cut(vcpu, "/")
				held = append(held, fmt.Sprintf("vCPU %s on %s", number, thread.CPUs))
			}
		}

		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", name, m.Host, strings.Join(asked, ", "), strings.Join(held, ", "), m.Address)
	}

	return table.Flush()
}

// showService asks Consul's DNS for the service.
func (p *parts) showService(ctx context.Context) error {
	addresses, err := p.lookUp(ctx)
	if err != nil {
		return err
	}

	fmt.Printf("\n%s resolves to %s\n", strings.TrimSuffix(serviceName, "."), strings.Join(addresses, " and "))

	return nil
}

func (p *parts) lookUp(ctx context.Context) ([]string, error) {
	question := new(dns.Msg).SetQuestion(serviceName, dns.TypeA)

	answer, _, err := new(dns.Client).ExchangeContext(ctx, question, p.consul.DNS())
	if err != nil {
		return nil, fmt.Errorf("ask Consul's DNS: %w", err)
	}

	var addresses []string

	for _, record := range answer.Answer {
		if a, ok := record.(*dns.A); ok {
			addresses = append(addresses, a.A.String())
		}
	}

	return addresses, nil
}

// showRequests sends ten requests through the gateway.
func (p *parts) showRequests(ctx context.Context) error {
	fmt.Println("\nTen requests through the gateway:")

	return p.printAnswers(ctx, 10)
}

func (p *parts) printAnswers(ctx context.Context, count int) error {
	for range count {
		answer, err := p.ask(ctx, requestTimeout)
		if err != nil {
			return err
		}

		fmt.Println("  " + answer)
	}

	return nil
}

// showLoss kills a machine and goes on asking until Consul has noticed.
func (p *parts) showLoss(ctx context.Context) error {
	victim, host := machineName(1), hostNames[1]

	pid, err := p.hosts[host].PID(victim)
	if err != nil {
		return err
	}

	fmt.Printf("\n%s dies (its process on %s is killed), and requests go on:\n", victim, host)

	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s: %w", victim, err)
	}

	asked, failed, killed := 0, 0, time.Now()

	for {
		if _, err := p.request(ctx); err != nil {
			failed++
		}

		asked++

		addresses, err := p.lookUp(ctx)
		if err != nil {
			return err
		}

		if len(addresses) == 1 {
			fmt.Printf("  after %.1f s %s resolves to %s alone; of %d requests meanwhile %d failed\n",
				time.Since(killed).Seconds(), strings.TrimSuffix(serviceName, "."), addresses[0], asked, failed)

			return p.printAnswers(ctx, 3)
		}

		if time.Since(killed) > time.Minute {
			return fmt.Errorf("%s is still among %s a minute after it died", victim, strings.Join(addresses, ", "))
		}

		if err := pause(ctx, askInterval); err != nil {
			return err
		}
	}
}

// ask sends requests until one is answered or the time is over.
func (p *parts) ask(ctx context.Context, limit time.Duration) (string, error) {
	started := time.Now()

	for {
		answer, err := p.request(ctx)
		if err == nil {
			return answer, nil
		}

		if time.Since(started) > limit {
			return "", err
		}

		if err := pause(ctx, askInterval); err != nil {
			return "", err
		}
	}
}

func (p *parts) request(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.traefik.URL()+"/", nil)
	if err != nil {
		return "", err
	}

	request.Host = shopHost

	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("ask the gateway: %w", err)
	}

	defer func() { _ = response.Body.Close() }()

	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("ask the gateway: %w", err)
	}

	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the gateway answered %s", response.Status)
	}

	return strings.TrimSpace(string(body)), nil
}

func pause(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()

	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
