package kong

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// groupRow says that a consumer is in a group.
type groupRow struct {
	ID       string    `json:"id,omitempty"`
	Group    string    `json:"group"`
	Consumer reference `json:"consumer,omitzero"`
	Tags     []*string `json:"tags"`
}

// credentialRow is a credential of any kind. What Kong tells of secrets is not read.
type credentialRow struct {
	ID        string    `json:"id"`
	Consumer  reference `json:"consumer"`
	Username  string    `json:"username"` // of basic-auth and hmac-auth
	Key       string    `json:"key"`      // of jwt; of key-auth it is the secret, and never looked at
	Algorithm string    `json:"algorithm"`
	PublicKey string    `json:"rsa_public_key"`
	Tags      []*string `json:"tags"`
}

// Tags that say which of a consumer's credentials one is, and which secret it has.
const (
	labelMark   = "label:"
	versionMark = "version:"
)

// credentialKind says where Kong has the credentials of a kind and under which names.
type credentialKind struct {
	kind   string // in the words of gateway.Credential
	all    string // path of all
	of     string // path below a consumer
	secret string // field
	name   func(*credentialRow) string
}

var credentialKinds = []credentialKind{
	{gateway.KeyAuth, "/key-auths", "key-auth", "key", func(row *credentialRow) string { return tagged(row.Tags, labelMark) }},
	{gateway.BasicAuth, "/basic-auths", "basic-auth", "password", func(row *credentialRow) string { return row.Username }},
	{gateway.HMACAuth, "/hmac-auths", "hmac-auth", "secret", func(row *credentialRow) string { return row.Username }},
	{gateway.JWT, "/jwts", "jwt", "secret", func(row *credentialRow) string { return row.Key }},
}

// tagged returns what follows a mark in one of the tags.
func tagged(tags []*string, mark string) string {
	for _, tag := range tags {
		if text, found := strings.CutPrefix(or(tag, ""), mark); found {
			return text
		}
	}

	return ""
}

func (k credentialKind) credential(row *credentialRow) gateway.Credential {
	version, err := strconv.ParseInt(tagged(row.Tags, versionMark), 10, 64)
	if err != nil {
		version = 0 // somebody has changed the tags: not known
	}

	credential := gateway.Credential{Kind: k.kind, Name: k.name(row), Version: version}
	if k.kind == gateway.JWT {
		credential.Algorithm, credential.PublicKey = row.Algorithm, row.PublicKey
	}

	return credential
}

// body is what is sent of a credential.
func (k credentialKind) body(credential gateway.Credential) map[string]any {
	tags := []string{mark, versionMark + strconv.FormatInt(credential.Version, 10)}
	body := map[string]any{}
	if credential.Secret != "" {
		body[k.secret] = credential.Secret
	}

	switch k.kind {
	case gateway.KeyAuth:
		tags = append(tags, labelMark+credential.Name)
	case gateway.JWT:
		body["key"], body["algorithm"] = credential.Name, credential.Algorithm
		if credential.PublicKey != "" {
			body["rsa_public_key"] = credential.PublicKey
		}
	default:
		body["username"] = credential.Name
	}
	body["tags"] = tags

	return body
}

func (e *Engine) putGroups(ctx context.Context, consumer string, wanted []string) error {
	path := at("consumers", consumer, "acls")
	current, err := listAll[groupRow](ctx, e, path)
	if err != nil {
		return fmt.Errorf("list the groups of the Kong consumer: %w", err)
	}

	for _, group := range wanted {
		at := slices.IndexFunc(current, func(row *groupRow) bool { return row.Group == group })
		if at >= 0 && marked(current[at].Tags) {
			continue
		}

		method, to := http.MethodPost, path
		if at >= 0 {
			method, to = http.MethodPatch, path+"/"+current[at].ID
		}
		if _, err := e.groups.write(ctx, method, to, groupRow{Group: group, Tags: withMark(nil)}); err != nil {
			return fmt.Errorf("put group %q of the Kong consumer: %w", group, err)
		}
	}

	for _, row := range current {
		if marked(row.Tags) && !slices.Contains(wanted, row.Group) {
			if err := e.groups.remove(ctx, path, row.ID); err != nil {
				return fmt.Errorf("delete group %q of the Kong consumer: %w", row.Group, err)
			}
		}
	}

	return nil
}

func (e *Engine) putCredentials(ctx context.Context, consumer string, wanted []gateway.Credential) error {
	for _, kind := range credentialKinds {
		path := at("consumers", consumer, kind.of)
		current, err := listAll[credentialRow](ctx, e, path)
		if err != nil {
			return fmt.Errorf("list the %s credentials of the Kong consumer: %w", kind.of, err)
		}

		kept := map[string]bool{}
		for _, credential := range wanted {
			if credential.Kind != kind.kind {
				continue
			}
			kept[credential.Name] = true
			if err := e.putCredential(ctx, kind, path, current, credential); err != nil {
				return err
			}
		}

		for _, row := range current {
			if marked(row.Tags) && !kept[kind.name(row)] {
				if err := e.credentials[kind.kind].remove(ctx, path, row.ID); err != nil {
					return fmt.Errorf("delete %s credential %q: %w", kind.of, kind.name(row), err)
				}
			}
		}
	}

	return nil
}

func (e *Engine) putCredential(ctx context.Context, kind credentialKind, path string, current []*credentialRow, wanted gateway.Credential) error {
	method := http.MethodPost
	for _, row := range current {
		if kind.name(row) != wanted.Name {
			continue
		}

		is := kind.credential(row)
		is.Secret = wanted.Secret
		if marked(row.Tags) && is == wanted {
			return nil
		}
		method, path = http.MethodPatch, path+"/"+row.ID
	}

	_, err := e.credentials[kind.kind].write(ctx, method, path, kind.body(wanted))

	// Kong's own words would repeat the secret.
	var refused *refusal
	switch {
	case hasCode(err, codeUnique):
		return fmt.Errorf("%s[%q]: another credential of Kong's has the same name or key already. Choose another one", kind.kind, wanted.Name)
	case errors.As(err, &refused) && refused.status < http.StatusInternalServerError:
		return fmt.Errorf("%s[%q]: Kong answered %d and does not take the credential. Check the secret and, of a JWT, the public key and the algorithm",
			kind.kind, wanted.Name, refused.status)
	case err != nil:
		return fmt.Errorf("put %s credential %q: %w", kind.of, wanted.Name, err)
	}

	return nil
}
