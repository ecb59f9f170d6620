package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// source is the provider's address without its registry, which differs between Terraform and OpenTofu.
const source = "baiyi-infra/hypervisor"

// mainPrefix is the first word of the provider's own types; their pages carry no prefix.
const mainPrefix = "hypervisor"

// prefixes are the first words of all types.
var prefixes = []string{mainPrefix, "consul", "gateway"}

// schema is a provider's schema as `terraform providers schema -json` writes it. What only newer versions write
// (identities, lists, actions) is left out: the pages must not depend on the version that was asked.
type schema struct {
	Provider    json.RawMessage            `json:"provider"`
	Resources   map[string]json.RawMessage `json:"resource_schemas,omitempty"`
	DataSources map[string]json.RawMessage `json:"data_source_schemas,omitempty"`
	Ephemerals  map[string]json.RawMessage `json:"ephemeral_resource_schemas,omitempty"`
	Functions   map[string]json.RawMessage `json:"functions,omitempty"`
}

type document struct {
	FormatVersion string            `json:"format_version"`
	Providers     map[string]schema `json:"provider_schemas"`
}

// readSchema has Terraform ask the provider, offline and with nothing installed: a development override takes the binary
// from where it lies.
func readSchema(ctx context.Context, provider, terraform string) (schema, error) {
	provider, err := filepath.Abs(provider)
	if err != nil {
		return schema{}, err
	}

	if _, err := os.Stat(provider); err != nil {
		return schema{}, fmt.Errorf("find the provider, which `make build` makes: %w", err)
	}

	scratch, err := os.MkdirTemp("", "hypervisor-docs-")
	if err != nil {
		return schema{}, err
	}
	defer os.RemoveAll(scratch)

	settings := filepath.Join(scratch, "cli.tfrc")
	override := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n}\n", source, filepath.Dir(provider))
	module := fmt.Sprintf("terraform {\n  required_providers {\n    hypervisor = { source = %q }\n  }\n}\n", source)

	if err := errors.Join(
		os.WriteFile(settings, []byte(override), 0o600),
		os.WriteFile(filepath.Join(scratch, "main.tf"), []byte(module), 0o600),
	); err != nil {
		return schema{}, err
	}

	command := exec.CommandContext(ctx, terraform, "providers", "schema", "-json")
	command.Dir = scratch
	command.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+settings, "CHECKPOINT_DISABLE=1")

	output, err := command.Output()
	if err != nil {
		err = fmt.Errorf("ask the provider for its schema: %w", err)
		if failed, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w\n%s%s", err, output, failed.Stderr)
		}

		return schema{}, err
	}

	return parseSchema(output)
}

func parseSchema(text []byte) (schema, error) {
	var read document
	if err := json.Unmarshal(text, &read); err != nil {
		return schema{}, fmt.Errorf("read the schema: %w", err)
	}

	for address, found := range read.Providers {
		if strings.HasSuffix(address, "/"+source) {
			return found, found.checkPrefixes()
		}
	}

	return schema{}, fmt.Errorf("read the schema: it has no provider %s, but %q", source, slices.Sorted(maps.Keys(read.Providers)))
}

// checkPrefixes refuses types that no part would hold: their pages would be missing without a word.
func (s schema) checkPrefixes() error {
	for _, types := range []map[string]json.RawMessage{s.Resources, s.DataSources, s.Ephemerals} {
		for name := range types {
			if first, _, _ := strings.Cut(name, "_"); !slices.Contains(prefixes, first) {
				return fmt.Errorf("read the schema: the type %s begins with none of %q", name, prefixes)
			}
		}
	}

	return nil
}

// part returns the types of one prefix as the schema of a provider of that name.
func (s schema) part(prefix string) document {
	only := func(types map[string]json.RawMessage) map[string]json.RawMessage {
		kept := maps.Clone(types)
		maps.DeleteFunc(kept, func(name string, _ json.RawMessage) bool { return !strings.HasPrefix(name, prefix+"_") })

		return kept
	}

	part := schema{Provider: s.Provider, Resources: only(s.Resources), DataSources: only(s.DataSources), Ephemerals: only(s.Ephemerals)}
	if prefix == mainPrefix {
		part.Functions = s.Functions
	}

	return document{FormatVersion: "1.0", Providers: map[string]schema{prefix: part}}
}
