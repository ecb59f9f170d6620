package traefik

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

const (
	hostMatcher = "Host"
	pathMatcher = "PathPrefix"
)

// renderRule writes a rule in Traefik's language: one of the hosts and one of the paths. An empty list asks nothing.
func renderRule(hosts, paths []string) string {
	var factors []string

	for _, factor := range []string{anyOf(hostMatcher, hosts), anyOf(pathMatcher, paths)} {
		if factor != "" {
			factors = append(factors, factor)
		}
	}

	return strings.Join(factors, " && ")
}

func anyOf(matcher string, values []string) string {
	terms := make([]string, 0, len(values))
	for _, value := range slices.Sorted(slices.Values(values)) {
		terms = append(terms, matcher+"("+quote(value)+")")
	}

	if len(terms) > 1 {
		return "(" + strings.Join(terms, " || ") + ")"
	}

	return strings.Join(terms, "")
}

// quote writes a string literal of Traefik's rules, whose expressions are read by Go's own parser (vulcand/predicate).
func quote(value string) string {
	if strconv.CanBackquote(value) {
		return "`" + value + "`"
	}

	return strconv.Quote(value)
}

// parseRule reads a rule that asks for one of some hosts, one of some paths, or both. Any other rule is an error.
func parseRule(rule string) (hosts, paths []string, err error) {
	expression, err := parser.ParseExpr(rule)
	if err != nil {
		return nil, nil, fmt.Errorf("read the rule %s: %w", rule, err)
	}

	for _, factor := range operands(expression, token.LAND) {
		matcher, values, err := alternatives(factor)

		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("read the rule %s: %w", rule, err)
		case matcher == hostMatcher && hosts == nil:
			hosts = values
		case matcher == pathMatcher && paths == nil:
			paths = values
		default:
			return nil, nil, fmt.Errorf("read the rule %s: %s is asked for twice", rule, matcher)
		}
	}

	return hosts, paths, nil
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

// alternatives reads Host(...) || Host(...), or the same with PathPrefix; values are sorted and free of repetitions.
func alternatives(expression ast.Expr) (matcher string, values []string, err error) {
	for _, term := range operands(expression, token.LOR) {
		name, value, err := call(term)
		if err != nil {
			return "", nil, err
		}

		if matcher != "" && matcher != name {
			return "", nil, fmt.Errorf("a request may match either %s or %s", matcher, name)
		}

		matcher = name
		values = append(values, value)
	}

	slices.Sort(values)

	return matcher, slices.Compact(values), nil
}

func call(expression ast.Expr) (matcher, value string, err error) {
	call, isCall := expression.(*ast.CallExpr)
	if !isCall || len(call.Args) != 1 {
		return "", "", fmt.Errorf("only %s and %s with one value each are understood", hostMatcher, pathMatcher)
	}

	name, isName := call.Fun.(*ast.Ident)
	literal, isLiteral := call.Args[0].(*ast.BasicLit)

	if !isName || !isLiteral || literal.Kind != token.STRING {
		return "", "", fmt.Errorf("only %s and %s with one value each are understood", hostMatcher, pathMatcher)
	}

	value, err = strconv.Unquote(literal.Value)
	if err != nil {
		return "", "", fmt.Errorf("read the value %s: %w", literal.Value, err)
	}

	// Traefik takes matchers in other cases as well.
	for _, known := range []string{hostMatcher, pathMatcher} {
		if strings.EqualFold(known, name.Name) {
			return known, value, nil
		}
	}

	return "", "", fmt.Errorf("the matcher %s is not understood, only %s and %s are", name.Name, hostMatcher, pathMatcher)
}
