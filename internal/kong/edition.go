package kong

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// The releases that this provider knows. Later ones of the same major number are taken for the last one.
const (
	major      = 3
	firstMinor = 4

	// mixedMinor is the first release whose router of expressions takes the conditions of a traditional one, too.
	mixedMinor = 7
)

// edition is what a Kong says of itself.
type edition struct {
	Version       string `json:"version"`
	Configuration struct {
		Database     string `json:"database"`
		RouterFlavor string `json:"router_flavor"`
	} `json:"configuration"`
}

// release returns the numbers before the second period.
func (e edition) release() (major, minor int, ok bool) {
	parts := strings.SplitN(e.Version, ".", 3)
	if len(parts) < 2 {
		return 0, 0, false
	}
	major, err := strconv.Atoi(parts[0])
	minor, second := strconv.Atoi(parts[1])

	return major, minor, cmp.Or(err, second) == nil
}

// enterprise says whether this is the Enterprise edition, whose versions have a fourth number.
func (e edition) enterprise() bool { return strings.Count(e.Version, ".") > 2 }

// refusal says why this Kong cannot be configured, or nothing.
func (e edition) refusal() error {
	if e.Configuration.Database == "off" {
		return errors.New("this Kong runs without a database (database = off): its Admin API takes no changes, and its configuration " +
			"comes from a file as a whole. Give it a database (database = postgres), or write that file by other means")
	}

	number, minor, ok := e.release()
	if ok && (number != major || minor < firstMinor) {
		return fmt.Errorf("this is Kong %s, and this provider knows 3.4 to 3.9. Upgrade it", e.Version)
	}

	if ok && e.Configuration.RouterFlavor == "expressions" && minor < mixedMinor {
		return fmt.Errorf("this is Kong %s with router_flavor = expressions, whose routes take no hosts and paths before Kong 3.7. "+
			"Upgrade it, or set router_flavor = traditional_compatible", e.Version)
	}

	return nil
}

// Supported says why this Kong cannot be configured by what it tells of itself, which is asked once. A Kong that does not
// answer, or that does not tell, is taken for one that can.
func (e *Engine) Supported(ctx context.Context) error {
	err := e.supported(ctx)

	var refused *refusal
	if errors.Is(err, gateway.ErrAway) || errors.As(err, &refused) {
		return nil
	}

	return err
}

func (e *Engine) supported(ctx context.Context) error {
	about, err := e.about.get(ctx)
	if err != nil {
		return err
	}

	return about.refusal()
}

// ask reads what Kong tells of itself. Rights of an Enterprise edition may end at one workspace, and then it says nothing.
func (e *Engine) ask(ctx context.Context) (edition, error) {
	about, err := get[edition](ctx, e, "/")

	var refused *refusal
	if errors.As(err, &refused) && slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden}, refused.status) {
		return edition{}, nil
	}
	if err == nil && about == nil && e.workspace != "" {
		err = fmt.Errorf("this Kong has no workspace %q. Check workspace in the provider block: an open source Kong has none, and an "+
			"Enterprise edition only those that were made (POST /workspaces)", e.workspace)
	}
	if err != nil || about == nil {
		return edition{}, err
	}

	return *about, nil
}

// inOrder converts rows and sorts the result by name.
func inOrder[R, V any](rows []*R, err error, convert func(*R) (V, error), name func(V) string) ([]V, error) {
	if err != nil {
		return nil, err
	}

	var found []V
	for _, row := range rows {
		value, err := convert(row)
		if err != nil {
			return nil, err
		}
		found = append(found, value)
	}
	slices.SortFunc(found, func(a, b V) int { return strings.Compare(name(a), name(b)) })

	return found, nil
}
