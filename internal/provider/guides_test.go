package provider_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
)

// fenced matches a snippet, with the indentation of an item that it stands in.
var fenced = regexp.MustCompile("(?s)\n( *)```terraform(\n.*?\n) *```\n")

// TestSnippetsOfTheGuidesAreWellFormed has Terraform read and format what the guides show. Whole configurations are planned
// by other tests; a snippet may be of another provider, or name what stands elsewhere.
func TestSnippetsOfTheGuidesAreWellFormed(t *testing.T) {
	guides, err := filepath.Glob("../../templates/guides/*.md")
	if err != nil || len(guides) == 0 {
		t.Fatalf("There are no guides (%v)", err)
	}

	folder, snippets := t.TempDir(), 0

	for _, guide := range guides {
		text, err := os.ReadFile(guide)
		if err != nil {
			t.Fatal(err)
		}

		for number, found := range fenced.FindAllStringSubmatch(string(text), -1) {
			name := fmt.Sprintf("%s-%d.tf", strings.TrimSuffix(filepath.Base(guide), ".md"), number+1)
			write(t, filepath.Join(folder, name), strings.ReplaceAll(found[2], "\n"+found[1], "\n")[1:])

			snippets++
		}
	}

	terraform, err := testbed.Tool(t.Context(), "terraform")
	if err != nil {
		t.Fatal(err)
	}

	output, err := exec.CommandContext(t.Context(), terraform, "fmt", "-check", "-diff", "-no-color", folder).CombinedOutput()
	if err != nil {
		t.Errorf("Of %d snippets some cannot be read, or are not formatted (%v):\n%s", snippets, err, output)
	}
}
