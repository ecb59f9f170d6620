package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// typeFolders hold a page for each type, the others one of the provider's own.
var (
	typeFolders  = []string{"resources", "data-sources", "ephemeral-resources"}
	otherEntries = []string{"index.md", "guides", "functions", "images"}
)

// writePages renders the pages and puts them into the folder in place of the ones that are there.
func writePages(ctx context.Context, whole schema, root, out string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}

	// Tfplugindocs takes its folders relative to the project's, and renaming works within one file system only.
	scratch, err := os.MkdirTemp(root, ".docs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)

	site := filepath.Join(scratch, "site")

	for _, prefix := range prefixes {
		rendered := filepath.Join(scratch, prefix)
		if err := render(ctx, whole.part(prefix), prefix, root, rendered); err != nil {
			return err
		}

		if err := gather(rendered, site, prefix); err != nil {
			return fmt.Errorf("gather the pages of %s: %w", prefix, err)
		}
	}

	return replace(site, out)
}

func render(ctx context.Context, part document, prefix, root, folder string) error {
	content, err := json.Marshal(part)
	if err != nil {
		return err
	}

	path := folder + ".json"
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return err
	}

	relative, err := filepath.Rel(root, folder)
	if err != nil {
		return err
	}

	output, err := exec.CommandContext(ctx, "go", "tool", "tfplugindocs", "generate", "--provider-dir", root,
		"--provider-name", prefix, "--rendered-provider-name", mainPrefix, "--providers-schema", path,
		"--rendered-website-dir", relative).CombinedOutput()
	if err != nil {
		return fmt.Errorf("render the pages of %s: %w\n%s", prefix, err, output)
	}

	return nil
}

// gather moves the pages of one prefix to the site, with the prefix in their names unless it is the provider's own.
func gather(rendered, site, prefix string) error {
	for _, folder := range typeFolders {
		pages, err := filepath.Glob(filepath.Join(rendered, folder, "*.md"))
		if err != nil {
			return err
		}

		for _, page := range pages {
			name := filepath.Base(page)
			if prefix != mainPrefix {
				name = prefix + "_" + name
			}

			if err := move(page, filepath.Join(site, folder, name)); err != nil {
				return err
			}
		}
	}

	if prefix != mainPrefix {
		return nil
	}

	for _, entry := range otherEntries {
		err := move(filepath.Join(rendered, entry), filepath.Join(site, entry))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}

	return nil
}

// replace removes what an earlier run made, for types may have gone, and copies the site to its place.
func replace(site, out string) error {
	for _, entry := range append(otherEntries, typeFolders...) {
		if err := os.RemoveAll(filepath.Join(out, entry)); err != nil {
			return err
		}
	}

	return os.CopyFS(out, os.DirFS(site))
}

func move(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}

	return os.Rename(from, to)
}
