package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// events are what Terraform says with -json, one a line.
type events []event

type event struct {
	Level   string `json:"@level"`
	Message string `json:"@message"`
	Type    string `json:"type"`

	Diagnostic struct {
		Detail string `json:"detail"`
	} `json:"diagnostic"`
}

func parseEvents(output []byte) (events, error) {
	var all events

	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var next event

		err := decoder.Decode(&next)
		if errors.Is(err, io.EOF) {
			return all, nil
		}

		if err != nil {
			return all, fmt.Errorf("read the output as JSON: %w", err)
		}

		all = append(all, next)
	}
}

// count returns how many events are of the type.
func (e events) count(kind string) int {
	found := 0

	for _, one := range e {
		if one.Type == kind {
			found++
		}
	}

	return found
}

// errors returns the messages of what went wrong, one a line.
func (e events) errors() string {
	var text strings.Builder

	for _, one := range e {
		if one.Level == "error" {
			text.WriteString(strings.TrimSpace(one.Message+"\n"+one.Diagnostic.Detail) + "\n")
		}
	}

	return text.String()
}
