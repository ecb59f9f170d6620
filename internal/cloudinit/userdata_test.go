package cloudinit

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"
)

const (
	publicConfig = "#cloud-config\nwrite_files:\n  - path: /etc/motd\n    content: \"grüß Gott\"\nruncmd:\n  - systemctl enable --now consul\n"
	secretConfig = "#cloud-config\nwrite_files:\n  - path: /etc/consul.d/key.json\n    content: '{\"encrypt\": \"c2VjcmV0\"}'\n"
)

func TestPublicAndSecretUserDataBecomeOneMessage(t *testing.T) {
	files := readFiles(t, render(t, Seed{InstanceID: "i", UserData: publicConfig, SecretUserData: secretConfig}))
	checkGolden(t, "user-data.mime", files["user-data"])
}

func TestEitherUserDataAloneIsPassedOnUnchanged(t *testing.T) {
	for _, seed := range []Seed{{InstanceID: "i", UserData: publicConfig}, {InstanceID: "i", SecretUserData: publicConfig}} {
		if got := string(readFiles(t, render(t, seed))["user-data"]); got != publicConfig {
			t.Errorf("the user data %q and %q became %q", seed.UserData, seed.SecretUserData, got)
		}
	}
}

func TestAnyTwoUserDatasSurviveByteByByte(t *testing.T) {
	survive := func(public, secret []byte) bool {
		seed := Seed{InstanceID: "i", UserData: "#" + string(public), SecretUserData: "#" + string(secret)}
		want := []string{seed.UserData, seed.SecretUserData}

		content, err := renderUserData(seed)
		if err != nil {
			t.Fatal(err)
		}

		if got := readMessage(t, content); !cmp.Equal(want, got) {
			t.Errorf("another reader of %q finds %q", want, got)

			return false
		}

		again, err := Parse(render(t, seed))
		if err != nil || !cmp.Equal(seed, again) {
			t.Errorf("Parse: %+v, %v; want %+v", again, err, seed)

			return false
		}

		return true
	}

	for _, text := range []string{
		"", "!/bin/sh\n", "cloud-config\r\n", "\n--" + boundary + "\n", "\n--" + boundary + "--", "\x00\xff", "ünï\u2028", strings.Repeat("x", 57),
		strings.Repeat("long line ", 10000),
	} {
		survive([]byte(text), []byte("other"))
		survive([]byte("other"), []byte(text))
	}

	if err := quick.Check(survive, nil); err != nil {
		t.Error(err)
	}
}

func TestPartsSayWhatTheyAre(t *testing.T) {
	for text, want := range map[string]string{
		"#!/bin/sh\n":                      "text/x-shellscript",
		"#cloud-config\nruncmd: []\n":      "text/cloud-config",
		"#cloud-config \r\nruncmd: []\r\n": "text/cloud-config",
		"#cloud-config-archive\n":          "text/plain", // cloud-init looks at it itself
		"## template: jinja\n":             "text/plain",
	} {
		if got := contentType(text); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

func TestMessagesAreNotNested(t *testing.T) {
	for name, text := range map[string]string{
		"a message":       "Content-Type: multipart/mixed; boundary=\"b\"\nMIME-version: 1.0\n\n--b--\n",
		"compressed data": "\x1f\x8b\x08",
	} {
		for _, seed := range []Seed{{InstanceID: "i", UserData: text, SecretUserData: "#!"}, {InstanceID: "i", UserData: "#!", SecretUserData: text}} {
			if _, err := Render(seed); err == nil || strings.Contains(err.Error(), text) {
				t.Errorf("%s beside other user data: %v", name, err)
			}
		}

		render(t, Seed{InstanceID: "i", UserData: text})
	}
}

// readMessage reads a MIME message with nothing of what wrote it.
func readMessage(t *testing.T, content []byte) (texts []string) {
	t.Helper()

	message, err := mail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}

	if message.Header.Get("Mime-Version") == "" {
		t.Error("cloud-init does not know a message without its MIME-Version")
	}

	kind, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/mixed" {
		t.Fatalf("the message is %q: %v", kind, err)
	}

	parts := multipart.NewReader(message.Body, parameters["boundary"])

	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return texts
		}

		if err != nil {
			t.Fatal(err)
		}

		text, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, part))
		if err != nil {
			t.Fatal(err)
		}

		texts = append(texts, string(text))
	}
}
