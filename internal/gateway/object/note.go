package object

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Note is what a declaration says and a gateway has no place for; it is kept with the object, so that an import finds it.
type Note struct {
	Timeouts map[string]string `json:"timeouts,omitempty"` // by operation
	Wait     map[string]string `json:"wait,omitempty"`     // by attribute of wait_until_routed
	Version  int64             `json:"version,omitempty"`  // of secrets that were written
}

// NewNote takes over what a user's timeouts say.
func NewNote(bounds timeouts.Value) Note {
	var note Note

	for operation, timeout := range bounds.Attributes() {
		if text, ok := timeout.(types.String); ok && text.ValueString() != "" {
			if note.Timeouts == nil {
				note.Timeouts = map[string]string{}
			}

			note.Timeouts[operation] = text.ValueString()
		}
	}

	return note
}

// ReadNote reads the text of a note; one that somebody else wrote says nothing.
func ReadNote(text string) (note Note) {
	if json.Unmarshal([]byte(text), &note) != nil {
		return Note{}
	}

	return note
}

// String writes the note, empty if it says nothing.
func (n Note) String() string {
	if len(n.Timeouts) == 0 && len(n.Wait) == 0 && n.Version == 0 {
		return ""
	}

	text, err := json.Marshal(n)
	if err != nil {
		panic(fmt.Sprintf("encode a note: %v", err)) // texts always encode
	}

	return string(text)
}

// Restore returns the timeouts that the note holds, for a model that has none yet.
func (n Note) Restore(ctx context.Context, empty timeouts.Value) timeouts.Value {
	if len(n.Timeouts) == 0 || !empty.IsNull() {
		return empty
	}

	kinds, values := empty.AttributeTypes(ctx), map[string]attr.Value{}
	for operation := range kinds {
		values[operation] = types.StringNull()
		if text, given := n.Timeouts[operation]; given {
			values[operation] = types.StringValue(text)
		}
	}

	if restored, diags := types.ObjectValue(kinds, values); !diags.HasError() {
		empty.Object = restored
	}

	return empty
}
