package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/mariadb"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/pair"
	"github.com/google/uuid"
	"github.com/hashicorp/consul/api"
)

// state is what a member keeps beside its server's data.
type state struct {
	Lineage   string `json:"lineage"`
	Following string `json:"following"` // the member that the server replicates from, empty if none
}

func newLineage() string { return uuid.NewString() }

func statePath(folder string) string { return filepath.Join(folder, "state.json") }

func readState(folder string) (state, error) {
	text, err := os.ReadFile(statePath(folder))
	if err != nil {
		return state{}, fmt.Errorf("read the member's state (mysql-pair prepare writes it before the server starts): %w", err)
	}

	var s state
	if err := json.Unmarshal(text, &s); err != nil {
		return state{}, fmt.Errorf("read the member's state from %s: %w", statePath(folder), err)
	}

	return s, nil
}

func changeState(folder string, change func(*state)) error {
	s, err := readState(folder)
	if err != nil {
		return err
	}

	change(&s)

	return writeState(folder, s)
}

// writeState replaces the state as a whole, and returns once it is on the disk.
func writeState(folder string, s state) error {
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write the member's state: %w", err)
	}

	if err := replaceFile(statePath(folder), text, 0o600); err != nil {
		return fmt.Errorf("write the member's state: %w", err)
	}

	return nil
}

func replaceFile(path string, content []byte, mode os.FileMode) error {
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return err
	}

	_, err = file.Write(content)
	if err := errors.Join(err, file.Chmod(mode), file.Sync(), file.Close()); err != nil { // the unit's umask may take from it
		return err
	}

	if err := os.Rename(path+".new", path); err != nil {
		return err
	}

	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}

	return errors.Join(folder.Sync(), folder.Close())
}

// Prepare decides, before a member's server starts, what its recovery may throw away, and writes the configuration that
// says so to the given file. It needs Consul's answer: without it nobody knows whether the member was replaced.
func Prepare(ctx context.Context, config Config, consul *api.Client, id uint32, file string) error {
	record, err := await(ctx, newShared(config, consul).record)
	if err != nil {
		return err
	}

	s, err := readState(config.Folder)

	switch {
	case errors.Is(err, os.ErrNotExist):
		s = state{Lineage: newLineage()}
	case err != nil:
		return err
	}

	keeps := pair.Keeps(config.Member, s.Lineage, s.Following, record)
	if !keeps {
		s.Lineage = newLineage()
	}

	if err := writeState(config.Folder, s); err != nil {
		return err
	}

	// The server reads it as a user of its own, and there is no secret in it.
	if err := replaceFile(file, []byte(mariadb.Config(id, keeps)), 0o644); err != nil {
		return fmt.Errorf("write the server's configuration: %w", err)
	}

	return nil
}
