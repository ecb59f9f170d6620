package volume

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// opened is an image on its way to a host. Of one that is downloaded only what its head says is known.
type opened struct {
	image   image
	want    checksum
	content io.ReadCloser
}

// open opens the image that the volume is made from.
func (m *model) open(ctx context.Context) (opened, error) {
	want, err := m.wanted()
	if err != nil {
		return opened{}, err
	}

	if address := m.Source.URL.ValueString(); address != "" {
		return download(ctx, address, want)
	}

	img, err := readImage(m.Source.File.ValueString())
	if err != nil {
		return opened{}, err
	}

	file, err := os.Open(img.Path)
	if err != nil {
		return opened{}, fmt.Errorf("read the image: %w", err)
	}

	return opened{image: img, want: want, content: file}, nil
}

// wanted is what the image's content must have.
func (m *model) wanted() (checksum, error) {
	if text := m.Source.Checksum.ValueString(); text != "" {
		return parseChecksum(text)
	}

	img, err := readImage(m.Source.File.ValueString())
	if err != nil {
		return checksum{}, err
	}

	return checksum{kind: sha256Kind, sum: img.SHA256}, checkHash(img, m.SHA256.ValueString())
}

// download asks for the image and reads its head. The rest is read as the host takes it, so it stands nowhere here.
func download(ctx context.Context, address string, want checksum) (opened, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return opened{}, fmt.Errorf("download the image %w", withoutQuery(err))
	}

	request.Header.Set("Accept-Encoding", "identity") // the checksum is that of the file as it is

	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return opened{}, fmt.Errorf("download the image %w", withoutQuery(err))
	}

	from := opened{image: image{Path: shown(request.URL), Length: response.ContentLength}, want: want, content: response.Body}

	switch {
	case response.StatusCode != http.StatusOK:
		err = fmt.Errorf("the server answers %q", response.Status)
	case response.ContentLength < 0:
		err = errors.New("the server does not say how long it is, which the host must know before. Take it from a server that does, or download it and use file")
	default:
		head := bufio.NewReader(response.Body)
		if err = from.image.identify(head); err == nil {
			from.content = body{head, response.Body}
		}
	}

	if err != nil {
		_ = response.Body.Close()

		return opened{}, fmt.Errorf("download the image %s: %w", from.image.Path, err)
	}

	return from, nil
}

// body is what is left of an answer, with what was read ahead of it.
type body struct {
	io.Reader
	io.Closer
}

// identify reads the image's format and the size of its disk from its head, which stays to be read.
func (i *image) identify(content *bufio.Reader) error {
	head, err := content.Peek(headLength)
	if err != nil && !errors.Is(err, io.EOF) { // shorter than a head is no error
		return err
	}

	i.Head = string(head)
	i.Format, i.Capacity, err = recognise(head, i.Length)

	return err
}

// shown is the address without what may be a secret in it: a password, or a signature in the query.
func shown(address *url.URL) string {
	plain := *address
	plain.User, plain.RawQuery = nil, ""

	return plain.String()
}

// withoutQuery takes the address, whose query may be a secret, out of what the HTTP client says.
func withoutQuery(err error) error {
	var failed *url.Error
	if !errors.As(err, &failed) {
		return err
	}

	address, malformed := url.Parse(failed.URL)
	if malformed != nil {
		return failed.Err
	}

	return fmt.Errorf("%s: %w", shown(address), failed.Err)
}

// progress logs each tenth of an upload.
type progress struct {
	ctx     context.Context // a reader is handed none
	content io.Reader
	volume  string
	length  int64
	sent    int64
}

func (p *progress) Read(into []byte) (int, error) {
	n, err := p.content.Read(into)
	before := p.sent * 10 / max(p.length, 1)
	p.sent += int64(n)

	if tenths := p.sent * 10 / max(p.length, 1); tenths > before {
		tflog.Info(p.ctx, "uploading", map[string]any{"volume": p.volume, "bytes": p.sent, "of": p.length})
	}

	return n, err
}
