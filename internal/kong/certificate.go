package kong

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/google/uuid"
)

// certificateRow is a Kong certificate. Its private key, which Kong tells everybody who may read it, is not read.
type certificateRow struct {
	ID   string    `json:"id"`
	Cert string    `json:"cert"`
	SNIs []string  `json:"snis"`
	Tags []*string `json:"tags"`
}

// nameMark begins the tag with the name that a certificate has here: Kong's certificates have none.
const nameMark = "name:"

// certificateSpace is where the ids of certificates come from that this provider makes: the same name gives the same id,
// so that what was made by a run that could not store it is found again.
var certificateSpace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/baiyi-infra/terraform-provider-hypervisor#certificates"))

// CheckCertificate finds nothing that Kong cannot do.
func (*Engine) CheckCertificate(gateway.Certificate) []gateway.Unsupported { return nil }

// PutCertificate creates or replaces a certificate with its server names in one request. The names always go with it:
// Kong takes a certificate without any for one that shall lose them.
func (e *Engine) PutCertificate(ctx context.Context, certificate gateway.Certificate) error {
	current, err := e.freshCertificate(ctx, certificate.Name)
	if err != nil {
		return err
	}

	id, tags := uuid.NewSHA1(certificateSpace, []byte(certificate.Name)).String(), []*string(nil)
	if current != nil {
		if err := refuseForeign("certificate", certificate.Record, current.Tags); err != nil {
			return err
		}
		id, tags = current.ID, current.Tags
	}

	kept := slices.DeleteFunc(withRecord(tags, certificate.Record), func(tag *string) bool {
		return strings.HasPrefix(or(tag, ""), nameMark) || strings.HasPrefix(or(tag, ""), versionMark)
	})
	body := map[string]any{
		"cert": certificate.Chain, "key": certificate.Key, "snis": certificate.SNIs,
		"tags": append(texts(kept), nameMark+certificate.Name, versionMark+strconv.FormatInt(certificate.Version, 10)),
	}

	_, err = e.certificates.write(ctx, http.MethodPut, at("certificates", id), body)
	if hasCode(err, codeSchema) {
		return gateway.Refusal("Kong", certificateViolations(err))
	}
	if err != nil {
		return fmt.Errorf("put Kong certificate %q: %w", certificate.Name, err)
	}

	return nil
}

// certificateViolations words what Kong has against a certificate. Kong quotes no keys, but in its words about them.
func certificateViolations(err error) []gateway.Unsupported {
	names := map[string]string{"cert": "certificate", "key": "private_key_wo", "config": "private_key_wo"}

	found := violations(err, nil)
	for i, one := range found {
		first, _, _ := strings.Cut(one.Attribute, ".")
		if name := names[first]; name != "" {
			found[i].Attribute = name
		}
		if found[i].Attribute == "private_key_wo" {
			found[i].Reason = "The private key is none, or not the certificate's."
		}
	}

	return found
}

// freshCertificate asks Kong for a certificate by its name, or by the id or the server name that stands for it.
func (e *Engine) freshCertificate(ctx context.Context, name string) (*certificateRow, error) {
	rows, err := listAll[certificateRow](ctx, e, "/certificates?tags="+url.QueryEscape(nameMark+name))
	if err != nil {
		return nil, fmt.Errorf("find Kong certificate %q: %w", name, err)
	}
	if len(rows) > 0 {
		return rows[0], nil
	}

	return get[certificateRow](ctx, e, at("certificates", name))
}

// Certificate reads a certificate but for its key.
func (e *Engine) Certificate(ctx context.Context, name string) (gateway.Certificate, error) {
	row, err := e.certificates.one(ctx, func(row *certificateRow) bool { return tagged(row.Tags, nameMark) == name })
	if err == nil && row == nil {
		row, err = e.certificates.one(ctx, func(row *certificateRow) bool {
			return tagged(row.Tags, nameMark) == "" && (row.ID == name || slices.Contains(row.SNIs, name))
		})
	}
	if err != nil {
		return gateway.Certificate{}, err
	}
	if row == nil {
		return gateway.Certificate{}, fmt.Errorf("certificate %q in Kong: %w", name, gateway.ErrNotFound)
	}

	return row.certificate(name), nil
}

func (row *certificateRow) certificate(name string) gateway.Certificate {
	version, err := strconv.ParseInt(tagged(row.Tags, versionMark), 10, 64)
	if err != nil {
		version = 0 // not made here, or somebody has changed the tags: not known
	}

	return gateway.Certificate{
		Record: recordOf(name, row.Tags), Chain: row.Cert, Version: version, SNIs: slices.Sorted(slices.Values(row.SNIs)),
	}
}

// Certificates reads all certificates that have a name, but for their keys.
func (e *Engine) Certificates(ctx context.Context) ([]gateway.Certificate, error) {
	rows, err := e.certificates.find(ctx, func(row *certificateRow) bool { return tagged(row.Tags, nameMark) != "" })

	return inOrder(rows, err, func(row *certificateRow) (gateway.Certificate, error) {
		return row.certificate(tagged(row.Tags, nameMark)), nil
	}, func(certificate gateway.Certificate) string { return certificate.Name })
}

// DeleteCertificate removes a certificate, with which Kong removes its server names.
func (e *Engine) DeleteCertificate(ctx context.Context, of gateway.Record) error {
	current, err := e.freshCertificate(ctx, of.Name)
	if err != nil || current == nil {
		return err
	}
	if err := refuseForeign("certificate", of, current.Tags); err != nil {
		return err
	}

	if err := e.certificates.remove(ctx, "/certificates", current.ID); err != nil {
		return fmt.Errorf("delete Kong certificate %q: %w", of.Name, err)
	}

	return nil
}
