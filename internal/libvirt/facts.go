package libvirt

import (
	"context"
	"errors"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// Free is what is free on one NUMA node at the moment.
type Free struct {
	Memory uint64            // bytes
	Pages  map[uint64]uint64 // huge pages by their size in bytes
}

// Topology returns the host's hardware from one shared read. It does not change while the host runs.
func (h *Host) Topology(ctx context.Context) (topology.Host, error) {
	return shared(ctx, h, askCapabilities, func(c connection) (topology.Host, error) {
		text, err := c.capabilities()
		if err != nil {
			return topology.Host{}, err
		}

		return topology.ParseHost(text)
	})
}

// CPUModels returns the names of the processors that machines of the host can have beside its own, from one shared read.
func (h *Host) CPUModels(ctx context.Context) ([]string, error) {
	hardware, err := h.Topology(ctx)
	if err != nil {
		return nil, err
	}

	return shared(ctx, h, askCPUModels, func(c connection) ([]string, error) { return c.cpuModels(hardware.Arch) })
}

// Free returns what is free on each NUMA node, in the order of the topology's nodes.
func (h *Host) Free(ctx context.Context) ([]Free, error) {
	hardware, err := h.Topology(ctx)
	if err != nil {
		return nil, err
	}

	return shared(ctx, h, askFree, func(c connection) ([]Free, error) { return free(c, hardware) })
}

func free(c connection, hardware topology.Host) ([]Free, error) {
	all := make([]Free, len(hardware.Nodes))

	for i, node := range hardware.Nodes {
		memory, err := c.freeMemory(node.ID)
		if err != nil {
			return nil, fmt.Errorf("free memory of node %d: %w", node.ID, err)
		}

		all[i] = Free{Memory: memory, Pages: make(map[uint64]uint64, len(node.Pages))}

		for _, page := range node.Pages {
			if all[i].Pages[page.Size], err = c.freePages(node.ID, page.Size); err != nil {
				return nil, fmt.Errorf("free huge pages of node %d: %w", node.ID, err)
			}
		}
	}

	return all, nil
}

// HasBridge reports whether the host has a network interface of the name; one that was found is not asked for again. A host whose
// libvirt cannot tell (it takes the package libvirt-daemon-driver-interface on some distributions) is taken to have it.
func (h *Host) HasBridge(ctx context.Context, name string) (bool, error) {
	found, err := shared(ctx, h, askBridge+name, func(c connection) (bool, error) {
		found, err := c.hasInterface(name)
		if err == nil && !found {
			err = errNoBridge // which is not kept
		}

		return found, err
	})
	if errors.Is(err, errNoBridge) {
		return false, nil
	}

	return found, err
}

var errNoBridge = errors.New("there is no such bridge")
