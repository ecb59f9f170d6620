package kongtest

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// noCertificate is OpenSSL's word for a text that is no PEM at all.
const noCertificate = "invalid certificate: x509.new: error:680008E:asn1 encoding routines:asn1_d2i_read_bio:not enough data:crypto/asn1/a_d2i_fp.c:155:"

func certificates() *entity {
	return &entity{
		name: "certificates",
		key:  "sni", // of one of its names, which stand in a collection of their own
		fields: common(
			text("cert", pemCertificate).must(),
			text("key").must().hidden(),
			text("cert_alt", pemCertificate),
			text("key_alt").hidden(),
			list("snis", setKind, serverName),
		),
		inspect: inspectCertificate,
		present: func(s *Server, values map[string]any) map[string]any {
			shown := cloneMap(values)
			names := []any{}
			for _, r := range s.rows(s.entities["snis"], scope{"certificate", fmt.Sprint(values["id"])}, true) {
				names = append(names, r.values["name"])
			}
			slices.SortFunc(names, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			shown["snis"] = names

			return shown
		},
	}
}

func snis() *entity {
	return &entity{
		name:   "snis",
		key:    "name",
		unique: [][]string{{"name"}},
		fields: common(text("name", serverName).must(), foreign("certificate", "certificates").must().cascading()),
	}
}

func caCertificates() *entity {
	return &entity{
		name:   "ca_certificates",
		key:    "id",
		unique: [][]string{{"cert_digest"}},
		fields: common(text("cert", pemCertificate).must(), text("cert_digest")),
		settle: func(values map[string]any) {
			if parsed := parseCertificate(values["cert"]); parsed != nil {
				sum := sha256.Sum256(parsed.Raw)
				values["cert_digest"] = hex.EncodeToString(sum[:])
			}
		},
		inspect: inspectAuthority,
	}
}

// inspectAuthority finds the first of the things that a certificate of an authority must not be.
func inspectAuthority(values map[string]any, _ bool, found violations) {
	text, _ := values["cert"].(string)

	switch parsed := parseCertificate(text); {
	case parsed == nil:
	case strings.Count(text, "-----BEGIN CERTIFICATE-----") > 1:
		found.entity("please submit only one certificate at a time")
	case parsed.NotAfter.Before(time.Now()):
		found.entity(`certificate expired, "Not After" time is in the past`)
	case !parsed.IsCA:
		found.entity(`certificate does not appear to be a CA because it is missing the "CA" basic constraint`)
	}
}

func parseCertificate(value any) *x509.Certificate {
	text, _ := value.(string)
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}

	return parsed
}

func pemCertificate(text string) string {
	if parseCertificate(text) == nil {
		return noCertificate
	}

	return ""
}

// serverName judges a name of a certificate, perhaps with a wildcard as its first or last label.
func serverName(text string) string {
	if name, port, found := strings.Cut(text, ":"); found && isHost(name) && port != "" {
		return "must not have a port"
	}

	plain := text
	if rest, ok := strings.CutPrefix(text, "*."); ok {
		plain = rest
	} else if rest, ok := strings.CutSuffix(text, ".*"); ok {
		plain = rest
	}
	if strings.Contains(plain, "*") {
		return routeHost(text)
	}

	return host(plain)
}

// inspectCertificate holds each certificate against its key. Keys that a recording has blanked cannot be read; Kong
// refused none of those that it could not tell.
func inspectCertificate(values map[string]any, _ bool, found violations) {
	first, second := parseCertificate(values["cert"]), parseCertificate(values["cert_alt"])

	for cert, key := range map[string]string{"cert": "key", "cert_alt": "key_alt"} {
		chain, _ := values[cert].(string)
		private, _ := values[key].(string)
		if notPEM(chain) || notPEM(private) {
			continue
		}
		if _, err := tls.X509KeyPair([]byte(chain), []byte(private)); err != nil {
			found.entity(map[string]string{"cert": "certificate does not match key", "cert_alt": "alternative certificate does not match key"}[cert])
		}
	}

	if first != nil && second != nil && first.PublicKeyAlgorithm == second.PublicKeyAlgorithm {
		found.entity("certificate and alternative certificate need to have different type (e.g. RSA and ECDSA), " +
			"the provided certificates were both of the same type")
	}
}

// certificateOf turns a server name in a certificate's path into the id of the certificate that has it. A PUT to a name
// that no certificate has makes a certificate, without the name: Kong 3.9.1 does so on every call.
func (s *Server) certificateOf(at *place, method string) *answer {
	if isID(at.key) {
		return nil
	}

	if name := s.find(s.entities["snis"], at.key, scope{}); name != nil {
		at.key = reference(name.values["certificate"])

		return nil
	}

	if method == http.MethodPut {
		at.key = s.newID()

		return nil
	}

	return &answer{http.StatusNotFound, map[string]any{"message": "SNI not found"}}
}

// claimNames makes the names that a client gave those of the certificate, and no other ones. A name of another
// certificate is refused.
func (s *Server) claimNames(values, given map[string]any) *answer {
	wanted, listed := given["snis"].([]any)
	delete(values, "snis")

	if !listed && !s.replacing {
		return nil
	}

	id := fmt.Sprint(values["id"])
	for _, name := range wanted {
		if r := s.find(s.entities["snis"], fmt.Sprint(name), scope{}); r != nil && reference(r.values["certificate"]) != id {
			refused := schemaViolation(violations{
				"snis": fmt.Sprintf("%v already associated with existing certificate '%s'", name, reference(r.values["certificate"])),
			})

			return &refused
		}
	}

	names := s.entities["snis"]
	for _, r := range s.rows(names, scope{"certificate", id}, true) {
		if !slices.Contains(wanted, r.values["name"]) {
			delete(s.store["snis"], r.id)
		}
	}
	for _, name := range wanted {
		if s.find(names, fmt.Sprint(name), scope{}) == nil {
			s.created++
			row := &row{id: s.anyID(), order: s.created, values: map[string]any{
				"name": name, "certificate": map[string]any{"id": id}, "tags": nil,
				"created_at": s.time(names), "updated_at": s.time(names),
			}}
			row.values["id"] = row.id
			s.store["snis"][row.id] = row
		}
	}

	return nil
}

// refuseListed keeps a certificate authority that a service trusts, from Kong 3.6: a list of ids is no foreign key.
func (s *Server) refuseListed(e *entity, r *row) *answer {
	if e.name != "ca_certificates" || s.about.before(3, 6) {
		return nil
	}

	for _, store := range s.workspaces {
		for _, service := range store["services"] {
			trusted, _ := service.values["ca_certificates"].([]any)
			if slices.Contains(trusted, any(r.id)) {
				return &answer{http.StatusBadRequest, map[string]any{
					"name": "referenced by others", "code": codeReferenced,
					"message": fmt.Sprintf("ca certificate %s is still referenced by services (id = %s)", r.id, service.id),
				}}
			}
		}
	}

	return nil
}
