package kong

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/google/uuid"
	"github.com/kong/go-kong/kong"
)

// authorityRow is one certificate of an authority that a service's members are verified against. Kong has them in a
// collection of their own, each content once, and a service lists their ids.
type authorityRow struct {
	ID   string    `json:"id"`
	Cert string    `json:"cert"`
	Tags []*string `json:"tags"`
}

// authoritySpace is where the ids of authorities come from that this provider makes: upstreams with the same one, also of
// other states, share it, and one that an interrupted put left is found again.
var authoritySpace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/baiyi-infra/terraform-provider-hypervisor#authorities"))

// guardedMinor is the first release that does not delete an authority which something still refers to.
const guardedMinor = 6

// putAuthorities creates those authorities that Kong does not have yet, and returns the ids of all. Whoever made one, it
// is used. The caller holds authorityTurn for reading until a service refers to them.
func (e *Engine) putAuthorities(ctx context.Context, text string) (ids []string, err error) {
	if text == "" {
		return nil, nil
	}

	wanted, err := gateway.ParseAuthorities(text)
	if err != nil {
		return nil, fmt.Errorf("read the certificates of the authorities: %w", err)
	}

	current, err := listAll[authorityRow](ctx, e, "/ca_certificates")
	if err != nil {
		return nil, fmt.Errorf("list Kong's CA certificates: %w", err)
	}

	for _, authority := range wanted {
		row := held(current, authority)
		if row == nil {
			row, err = e.putAuthority(ctx, authority)
		}
		if err != nil {
			return nil, fmt.Errorf("put Kong CA certificate %q: %w", authority.Parsed.Subject, err)
		}
		ids = append(ids, row.ID)
	}

	return ids, nil
}

func (e *Engine) putAuthority(ctx context.Context, authority gateway.Authority) (*authorityRow, error) {
	id := uuid.NewSHA1(authoritySpace, authority.Digest[:]).String()

	row, err := e.authorities.write(ctx, http.MethodPut, at("ca_certificates", id), map[string]any{"cert": authority.PEM, "tags": []string{mark}})
	if !hasCode(err, codeUnique) {
		return row, err
	}

	// Somebody made it meanwhile, under an id of their own.
	current, listing := listAll[authorityRow](ctx, e, "/ca_certificates")
	if listing != nil {
		return nil, listing
	}
	if row := held(current, authority); row != nil {
		return row, nil
	}

	return nil, err
}

// held finds a certificate by its content.
func held(rows []*authorityRow, wanted gateway.Authority) *authorityRow {
	for _, row := range rows {
		if gateway.SameAuthorities(row.Cert, wanted.PEM) {
			return row
		}
	}

	return nil
}

// dropAuthorities deletes the authorities of this provider that no service refers to, in any order with the puts of other
// upstreams: it waits for those of this process, and those of others look again after they have written their service.
func (e *Engine) dropAuthorities(ctx context.Context) error {
	e.authorityTurn.Lock()
	defer e.authorityTurn.Unlock()

	rows, err := listAll[authorityRow](ctx, e, "/ca_certificates")
	if err != nil {
		return fmt.Errorf("list Kong's CA certificates: %w", err)
	}
	rows = slices.DeleteFunc(rows, func(row *authorityRow) bool { return !marked(row.Tags) })
	if len(rows) == 0 {
		return nil
	}

	// Authorities belong to no workspace, so services elsewhere may refer to them. Later releases know by themselves.
	about, err := e.about.get(ctx)
	if err != nil {
		return err
	}
	if _, minor, ok := about.release(); about.enterprise() && ok && minor < guardedMinor {
		return nil
	}

	services, err := listAll[kong.Service](ctx, e, "/services")
	if err != nil {
		return fmt.Errorf("list Kong's services: %w", err)
	}
	used := map[string]bool{}
	for _, service := range services {
		for _, id := range texts(service.CACertificates) {
			used[id] = true
		}
	}

	for _, row := range rows {
		if used[row.ID] {
			continue
		}
		if err := e.authorities.remove(ctx, "/ca_certificates", row.ID); err != nil && !hasCode(err, codeReferenced) {
			return fmt.Errorf("delete Kong CA certificate %q: %w", row.ID, err)
		}
	}

	return nil
}

// joinAuthorities is the text of all authorities that are there. It is whole if none is missing.
func joinAuthorities(rows []*authorityRow) (text string, whole bool) {
	var all strings.Builder

	whole = true
	for _, row := range rows {
		if row == nil {
			whole = false

			continue
		}
		all.WriteString(strings.TrimSpace(row.Cert) + "\n")
	}

	return all.String(), whole
}
