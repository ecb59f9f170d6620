package traefik

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// Traefik's matchers.
const (
	hostMatcher    = "Host"
	belowMatcher   = "HostRegexp" // for all hosts below one
	prefixMatcher  = "PathPrefix"
	exactMatcher   = "Path"
	patternMatcher = "PathRegexp"
	methodMatcher  = "Method"
	headerMatcher  = "HeaderRegexp"
	sniMatcher     = "HostSNI"
)

// anySNI is what a rule for connections says that asks nothing.
const anySNI = "*"

// How values stand in regular expressions: patterns hold for the beginning of a path, header values for the whole value
// in any case, as they do for Kong.
const (
	patternBegin = "^(?:"
	patternEnd   = ")"
	headerBegin  = "(?i)^"
	headerEnd    = "$"
	belowBegin   = `^.+`
	belowEnd     = "$"
)

// terms are the alternatives of one condition, each a call of a matcher.
type terms []string

func (t *terms) call(matcher string, values ...string) {
	quoted := make([]string, 0, len(values))
	for _, value := range values {
		quoted = append(quoted, quote(value))
	}

	*t = append(*t, matcher+"("+strings.Join(quoted, ", ")+")")
}

func (t terms) String() string {
	if len(t) > 1 {
		return "(" + strings.Join(t, " || ") + ")"
	}

	return strings.Join(t, "")
}

// renderRule writes a route's conditions in Traefik's language, with the given paths of its. An empty list asks nothing.
func renderRule(route gateway.Route, paths []matchedPath) string {
	var hosts, alternatives, methods, snis terms

	for _, host := range slices.Sorted(slices.Values(route.Hosts)) {
		if below, all := strings.CutPrefix(host, gateway.AllBelow); all {
			hosts.call(belowMatcher, belowBegin+regexp.QuoteMeta(below)+belowEnd)
		} else {
			hosts.call(hostMatcher, host)
		}
	}

	for _, path := range paths {
		alternatives.call(path.matcher, path.value())
	}

	for _, method := range slices.Sorted(slices.Values(route.Methods)) {
		methods.call(methodMatcher, method)
	}

	for _, sni := range slices.Sorted(slices.Values(route.SNIs)) {
		snis.call(sniMatcher, sni)
	}

	if route.Stream() && len(snis) == 0 {
		snis.call(sniMatcher, anySNI)
	}

	factors := []terms{hosts, alternatives, methods}

	for _, name := range slices.Sorted(maps.Keys(route.Headers)) {
		var values terms
		for _, value := range slices.Sorted(slices.Values(route.Headers[name])) {
			values.call(headerMatcher, name, headerBegin+regexp.QuoteMeta(value)+headerEnd)
		}

		factors = append(factors, values)
	}

	factors = slices.DeleteFunc(append(factors, snis), func(t terms) bool { return len(t) == 0 })

	texts := make([]string, 0, len(factors))
	for _, factor := range factors {
		texts = append(texts, factor.String())
	}

	return strings.Join(texts, " && ")
}

// quote writes a string literal of Traefik's rules, whose expressions are read by Go's own parser (vulcand/predicate).
func quote(value string) string {
	if strconv.CanBackquote(value) {
		return "`" + value + "`"
	}

	return strconv.Quote(value)
}

// parseRule reads the conditions of a rule that renderRule could have written. Any other rule is an error.
func parseRule(rule string) (gateway.Route, error) {
	var route gateway.Route

	expression, err := parser.ParseExpr(rule)
	if err != nil {
		return route, fmt.Errorf("read the rule %s: %w", rule, err)
	}

	seen := map[string]bool{}

	for _, factor := range operands(expression, token.LAND) {
		kind := ""

		for _, term := range operands(factor, token.LOR) {
			of, err := take(&route, term)
			if err != nil {
				return route, fmt.Errorf("read the rule %s: %w", rule, err)
			}

			if kind != "" && kind != of {
				return route, fmt.Errorf("read the rule %s: a request may match either %s or %s", rule, kind, of)
			}

			kind = of
		}

		if seen[kind] {
			return route, fmt.Errorf("read the rule %s: %s is asked for twice", rule, kind)
		}

		seen[kind] = true
	}

	return route, nil
}

// operands takes an expression apart at an operator that joins it at the top.
func operands(expression ast.Expr, operator token.Token) []ast.Expr {
	switch e := expression.(type) {
	case *ast.ParenExpr:
		return operands(e.X, operator)
	case *ast.BinaryExpr:
		if e.Op == operator {
			return append(operands(e.X, operator), operands(e.Y, operator)...)
		}
	}

	return []ast.Expr{expression}
}

// take adds what one call of a matcher asks to the route, and returns what kind of condition it is.
func take(route *gateway.Route, expression ast.Expr) (kind string, err error) {
	matcher, values, err := call(expression)
	if err != nil {
		return "", err
	}

	last := values[len(values)-1]

	switch {
	case matcher == headerMatcher && len(values) == 2:
		return headerMatcher + " " + values[0], takeHeader(route, values[0], last)
	case len(values) != 1:
		return "", fmt.Errorf("%s has %d values", matcher, len(values))
	}

	switch matcher {
	case hostMatcher:
		route.Hosts = append(route.Hosts, last)
	case belowMatcher:
		return hostMatcher, takeBelow(route, last)
	case methodMatcher:
		route.Methods = append(route.Methods, last)
	case sniMatcher:
		if last != anySNI {
			route.SNIs = append(route.SNIs, last)
		}
	default:
		return "path", takePath(route, matcher, last)
	}

	return matcher, nil
}

func takeBelow(route *gateway.Route, pattern string) error {
	text, begins := strings.CutPrefix(pattern, belowBegin)
	text, ends := strings.CutSuffix(text, belowEnd)
	below, only := gateway.Literal(text)

	if !begins || !ends || !only {
		return fmt.Errorf("the pattern of hosts %s is not of the form %s...%s", pattern, belowBegin, belowEnd)
	}

	route.Hosts = append(route.Hosts, gateway.AllBelow+below)

	return nil
}

func takePath(route *gateway.Route, matcher, value string) error {
	switch matcher {
	case prefixMatcher:
		route.Paths = append(route.Paths, value)
	case exactMatcher:
		route.ExactPaths = append(route.ExactPaths, value)
	case patternMatcher:
		pattern, begins := strings.CutPrefix(value, patternBegin)
		pattern, ends := strings.CutSuffix(pattern, patternEnd)

		if !begins || !ends {
			return fmt.Errorf("the pattern %s is not of the form %s...%s", value, patternBegin, patternEnd)
		}

		route.PathPatterns = append(route.PathPatterns, pattern)
	default:
		return fmt.Errorf("the matcher %s is not understood", matcher)
	}

	return nil
}

func takeHeader(route *gateway.Route, name, pattern string) error {
	text, begins := strings.CutPrefix(pattern, headerBegin)
	text, ends := strings.CutSuffix(text, headerEnd)
	value, only := gateway.Literal(text)

	if !begins || !ends || !only {
		return fmt.Errorf("the header %s is compared with more than a value: %s", name, pattern)
	}

	if route.Headers == nil {
		route.Headers = map[string][]string{}
	}

	route.Headers[name] = append(route.Headers[name], value)

	return nil
}

func call(expression ast.Expr) (matcher string, values []string, err error) {
	call, isCall := expression.(*ast.CallExpr)
	if !isCall || len(call.Args) == 0 {
		return "", nil, errors.New("only matchers with values are understood")
	}

	name, isName := call.Fun.(*ast.Ident)
	if !isName {
		return "", nil, errors.New("only matchers with values are understood")
	}

	for _, argument := range call.Args {
		literal, isLiteral := argument.(*ast.BasicLit)
		if !isLiteral || literal.Kind != token.STRING {
			return "", nil, errors.New("only matchers with texts as values are understood")
		}

		value, err := strconv.Unquote(literal.Value)
		if err != nil {
			return "", nil, fmt.Errorf("read the value %s: %w", literal.Value, err)
		}

		values = append(values, value)
	}

	// Traefik takes matchers in other cases as well.
	for _, known := range []string{hostMatcher, belowMatcher, prefixMatcher, exactMatcher, patternMatcher, methodMatcher, headerMatcher, sniMatcher} {
		if strings.EqualFold(known, name.Name) {
			return known, values, nil
		}
	}

	return "", nil, fmt.Errorf("the matcher %s is not understood", name.Name)
}
