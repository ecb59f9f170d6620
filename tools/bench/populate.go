package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// replicate makes a state with one instance of a resource one with all. like makes the instance of a key from the JSON of that one.
func replicate[K, V any](path string, all iter.Seq2[K, V], like func(key K, value V, one string) (any, error)) error {
	var state map[string]any

	content, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(content, &state)
	}

	if err != nil {
		return fmt.Errorf("replicate the state: %w", err)
	}

	resource := state["resources"].([]any)[0].(map[string]any) //nolint:forcetypeassert // the state's format, or the benchmark is wrong
	one, err := json.Marshal(resource["instances"].([]any)[0]) //nolint:forcetypeassert // as above

	var made []any

	for key, value := range all {
		instance, failure := like(key, value, string(one))
		made, err = append(made, instance), errors.Join(err, failure)
	}

	resource["instances"] = made

	content, failure := json.Marshal(state)
	if err = errors.Join(err, failure); err == nil {
		err = os.WriteFile(path, content, 0o600)
	}

	if err != nil {
		return fmt.Errorf("replicate the state: %w", err)
	}

	return nil
}

// replicateTexts is replicate where instances differ by texts only.
func replicateTexts(path string, texts map[string]*strings.Replacer) error {
	return replicate(path, maps.All(texts), func(_ string, text *strings.Replacer, one string) (any, error) {
		return json.RawMessage(text.Replace(one)), nil
	})
}

// populate has Terraform make one machine, and makes the others like it: Terraform writes its whole state after each that it makes.
func (r *refreshing) populate(ctx context.Context) error {
	first, all := nameOf(0), places()

	_, _, err := r.ours.run(ctx, "apply", "-json", "-auto-approve", "-input=false", "-target", fmt.Sprintf("hypervisor_vm.machine[%q]", first))
	if err != nil {
		return err
	}

	model, err := client(r.hosts[0]).DomainByName(ctx, first)
	if err != nil {
		return err
	}

	texts := make(map[string]*strings.Replacer, machines)
	group, grouped := errgroup.WithContext(ctx)
	group.SetLimit(parallel)

	makers := map[string]func(string) error{}
	for _, host := range r.hosts {
		maker := client(host)
		makers[host.Name()] = func(definition string) error { return maker.Define(grouped, definition) }
	}

	for name, at := range all {
		id := uuid.NewSHA1(uuid.Nil, []byte(name)).String()
		if name == first {
			id = model.UUID
		}

		cpu := fmt.Sprint(at.CPU)
		replacer := strings.NewReplacer(
			model.UUID, id, domainxml.MAC(first, "lan"), domainxml.MAC(name, "lan"),
			fmt.Sprintf("%q", first), fmt.Sprintf("%q", name), ">"+first+"<", ">"+name+"<", // in JSON, in XML
			"alpha/default/"+first+".qcow2", at.Host+"/default/"+name+".qcow2", "'"+first+".qcow2'", "'"+name+".qcow2'",
			`"alpha"`, fmt.Sprintf("%q", at.Host), `"pins":["0"]`, `"pins":["`+cpu+`"]`, "cpuset='0'", "cpuset='"+cpu+"'",
		)

		texts[name] = replacer

		if name != first {
			group.Go(func() error { return makers[at.Host](replacer.Replace(model.XML)) })
		}
	}

	if err := group.Wait(); err != nil {
		return err
	}

	return replicateTexts(filepath.Join(r.ours.folder, "terraform.tfstate"), texts)
}

// populateTiny makes a state of all machines for the provider with two attributes.
func (r *refreshing) populateTiny(ctx context.Context) error {
	first, texts := nameOf(0), make(map[string]*strings.Replacer, machines)

	_, _, err := r.tiny.run(ctx, "apply", "-json", "-auto-approve", "-input=false", "-target", fmt.Sprintf("hypervisor_vm.machine[%q]", first))
	if err != nil {
		return err
	}

	for name, at := range places() {
		texts[name] = strings.NewReplacer(fmt.Sprintf("%q", first), fmt.Sprintf("%q", name), `"alpha"`, fmt.Sprintf("%q", at.Host))
	}

	return replicateTexts(filepath.Join(r.tiny.folder, "terraform.tfstate"), texts)
}
