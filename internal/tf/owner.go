package tf

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// ownerKey is the key of the private state under which a resource keeps the mark by which it knows what it made.
const ownerKey = "owner"

// privateReader is the private state of a request, and privateWriter that of a response. The framework's own type cannot
// be named.
type (
	privateReader interface {
		GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	}
	privateWriter interface {
		SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
	}
)

// NewOwner makes a mark that no other state has, for what a resource is about to make.
func NewOwner(ctx context.Context, into privateWriter, diagnostics *diag.Diagnostics) string {
	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails

	owner := hex.EncodeToString(random)
	keepOwner(ctx, owner, into, diagnostics)

	return owner
}

// StoredOwner returns the resource's mark, or "" if it has none.
func StoredOwner(ctx context.Context, from privateReader, diagnostics *diag.Diagnostics) string {
	text, problems := from.GetKey(ctx, ownerKey)
	diagnostics.Append(problems...)

	var owner string
	if len(text) > 0 && json.Unmarshal(text, &owner) != nil {
		return ""
	}

	return owner
}

// Owner returns the resource's mark, and makes one if it has none.
func Owner(ctx context.Context, from privateReader, into privateWriter, diagnostics *diag.Diagnostics) string {
	if owner := StoredOwner(ctx, from, diagnostics); owner != "" {
		return owner
	}

	return NewOwner(ctx, into, diagnostics)
}

// AdoptOwner takes over the mark that a thing is found with if the resource has none, as after an import. It reports
// whether the thing is another's.
func AdoptOwner(ctx context.Context, found string, from privateReader, into privateWriter, diagnostics *diag.Diagnostics) (foreign bool) {
	if found == "" {
		return false
	}

	owner := StoredOwner(ctx, from, diagnostics)
	if owner == "" {
		keepOwner(ctx, found, into, diagnostics)
	}

	return owner != "" && owner != found
}

func keepOwner(ctx context.Context, owner string, into privateWriter, diagnostics *diag.Diagnostics) {
	text, err := json.Marshal(owner)
	if err != nil {
		diagnostics.AddError("Unable to encode a mark", err.Error())

		return
	}

	diagnostics.Append(into.SetKey(ctx, ownerKey, text)...)
}
