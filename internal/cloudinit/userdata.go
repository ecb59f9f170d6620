package cloudinit

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"strings"
)

const (
	// boundary separates the parts. They are in base64, of which no line begins with a hyphen.
	boundary = "==hypervisor-user-data=="
	// mergeType has cloud-init add a part's lists and maps to those of the parts before it, and keep the earlier of two
	// values: https://cloudinit.readthedocs.io, "Merging user data sections".
	mergeType = "list(append)+dict(no_replace,recurse_list)+str()"
	// lineLength is the longest line of base64 in a message, RFC 2045 section 6.8.
	lineLength = 76
)

// multiPartHeader precedes the parts. cloud-init knows a message by its MIME-Version, among the first 4096 bytes.
const multiPartHeader = "Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\r\nMIME-Version: 1.0\r\n\r\n"

// errNested is returned for user data of several parts that others shall be added to.
var errNested = errors.New("user data that is a MIME message or compressed cannot be put together with secret user data. Give each as one script or one cloud-config")

// CheckPart says whether user data can be put together with other user data.
func CheckPart(text string) error {
	start := strings.ToLower(text[:min(len(text), 4096)])
	if strings.Contains(start, "mime-version:") || strings.HasPrefix(text, "\x1f\x8b") {
		return errNested
	}

	return nil
}

// renderUserData is what cloud-init is given: what there is of the two user datas, or a MIME message of both.
func renderUserData(seed Seed) ([]byte, error) {
	if seed.UserData == "" || seed.SecretUserData == "" {
		return []byte(seed.UserData + seed.SecretUserData), nil
	}

	message := bytes.NewBufferString(multiPartHeader)
	parts := multipart.NewWriter(message)

	if err := parts.SetBoundary(boundary); err != nil {
		return nil, err
	}

	for _, p := range []struct{ name, content string }{{"user-data", seed.UserData}, {"secret-user-data", seed.SecretUserData}} {
		if err := CheckPart(p.content); err != nil {
			return nil, err
		}

		part, err := parts.CreatePart(textproto.MIMEHeader{
			"Content-Type":              {contentType(p.content) + "; charset=\"utf-8\""},
			"Content-Transfer-Encoding": {"base64"}, // Python's parser keeps no other text byte by byte
			"Content-Disposition":       {fmt.Sprintf("attachment; filename=%q", p.name)},
			"Merge-Type":                {mergeType},
		})
		if err != nil {
			return nil, err
		}

		if _, err := part.Write(encode(p.content)); err != nil {
			return nil, err
		}
	}

	err := parts.Close()

	return message.Bytes(), err
}

// contentType is what cloud-init takes a text for. It finds out itself what plain text is, by how it begins.
func contentType(text string) string {
	first, _, _ := strings.Cut(text, "\n")

	switch {
	case strings.HasPrefix(first, "#!"):
		return "text/x-shellscript"
	case strings.TrimSpace(first) == "#cloud-config":
		return "text/cloud-config"
	default:
		return "text/plain"
	}
}

func encode(text string) []byte {
	encoded := base64.StdEncoding.EncodeToString([]byte(text))

	var lines bytes.Buffer
	for len(encoded) > lineLength {
		lines.WriteString(encoded[:lineLength] + "\r\n")
		encoded = encoded[lineLength:]
	}

	lines.WriteString(encoded)

	return lines.Bytes()
}

// parseUserData takes a message of renderUserData apart. Anything else is user data as it is.
func (s *Seed) parseUserData(content []byte) {
	s.UserData = string(content)

	body, ours := bytes.CutPrefix(content, []byte(multiPartHeader))
	if !ours {
		return
	}

	reader := multipart.NewReader(bytes.NewReader(body), boundary)

	var texts []string

	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}

		if err != nil {
			return
		}

		text, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, part))
		if err != nil {
			return
		}

		texts = append(texts, string(text))
	}

	if len(texts) == 2 {
		s.UserData, s.SecretUserData = texts[0], texts[1]
	}
}
