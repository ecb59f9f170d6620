package kong

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// mark is the tag on everything that this provider creates. Kong's tags may hold all printable ASCII but "," and "/".
const mark = "managed-by:terraform-provider-hypervisor"

// noteMark begins the tag that holds an object's note.
const noteMark = "note:"

// partialMark is a further tag on what takes several requests to make, until the last of them.
const partialMark = "incomplete"

func isPartial(tag *string) bool { return is(tag, partialMark) }

func marked(tags []*string) bool {
	return slices.ContainsFunc(tags, func(tag *string) bool { return is(tag, mark) })
}

// withMark adds the mark to tags that others have set, which stay.
func withMark(tags []*string) []*string {
	if marked(tags) {
		return tags
	}

	return append(slices.Clone(tags), new(mark))
}

// withRecord adds the mark and the note to tags that others have set, which stay.
func withRecord(tags []*string, record gateway.Record) []*string {
	kept := slices.DeleteFunc(slices.Clone(withMark(tags)), func(tag *string) bool { return strings.HasPrefix(or(tag, ""), noteMark) })
	if record.Note == "" {
		return kept
	}

	return append(kept, new(noteMark+base64.RawURLEncoding.EncodeToString([]byte(record.Note))))
}

// recordOf reads an object's record from its tags.
func recordOf(name string, tags []*string) gateway.Record {
	record := gateway.Record{Name: name, Foreign: !marked(tags), Partial: slices.ContainsFunc(tags, isPartial)}

	for _, tag := range tags {
		if text, isNote := strings.CutPrefix(or(tag, ""), noteMark); isNote {
			if note, err := base64.RawURLEncoding.DecodeString(text); err == nil {
				record.Note = string(note)
			}
		}
	}

	return record
}

// refuseForeign keeps what somebody else made from being changed, unless its user has imported it.
func refuseForeign(what string, record gateway.Record, tags []*string) error {
	if record.Foreign || marked(tags) {
		return nil
	}

	return &gateway.ForeignError{What: fmt.Sprintf("The Kong %s %q", what, record.Name)}
}
