package kongtest

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// expressionRoutes are the routes of a router of expressions: those of the traditional one, and an expression instead.
func expressionRoutes() *entity {
	const highest = 1<<46 - 1

	e := routes()
	e.fields = append(e.fields, text("expression"), integer("priority", 0.0, 0, highest).must())
	e.inspect = func(values map[string]any, _ bool, found violations) {
		inspectMatchers(values, found, "expression")
		if found["protocols"] == nil && !isEmpty(values["expression"]) {
			if text := judgeExpression(values); text != "" {
				found.entity("Router Expression failed validation: " + text)
			}
		}
	}

	return e
}

func judgeExpression(values map[string]any) string {
	const alone = "cannot set 'expression' with 'methods', 'hosts', 'paths', 'headers', 'snis', 'sources' or 'destinations' simultaneously"

	for _, name := range []string{"methods", "hosts", "paths", "headers", "snis", "sources", "destinations"} {
		if values[name] != nil {
			return alone
		}
	}
	if priority, _ := values["regex_priority"].(float64); priority != 0 {
		return "cannot set 'regex_priority' with 'expression' simultaneously"
	}

	expression, ok := values["expression"].(string)
	if !ok {
		return "" // its kind is wrong, which is said elsewhere
	}

	parser := &expressionParser{text: expression}
	if err := parser.parse(); err != nil {
		return err.Error()
	}

	return ""
}

// matchable are the fields that an expression can look at, and the kind of their values. Those that end with "." stand
// for all names below them.
var matchable = map[string]string{
	"http.method": "text", "http.host": "text", "http.path": "text", "http.path.segments.": "text", "http.path.segments.len": "number",
	"http.headers.": "text", "http.queries.": "text", "net.protocol": "text", "net.port": "number", "net.src.ip": "address",
	"net.src.port": "number", "net.dst.ip": "address", "net.dst.port": "number", "tls.sni": "text",
}

func kindOf(name string) string {
	if kind := matchable[name]; kind != "" {
		return kind
	}
	for prefix, kind := range matchable {
		if strings.HasSuffix(prefix, ".") && strings.HasPrefix(name, prefix) && len(name) > len(prefix) {
			return kind
		}
	}

	return ""
}

// expressionParser reads the language of Kong's router: predicates joined by "&&" and "||", in parentheses and negated.
type expressionParser struct {
	text string
	at   int
}

var (
	fieldName   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.*]*`)
	operator    = regexp.MustCompile(`^(==|!=|\^=|=\^|>=|<=|>|<|~|not in\b|in\b|contains\b)`)
	quotedText  = regexp.MustCompile(`^"(\\.|[^"\\])*"`)
	rawText     = regexp.MustCompile(`^r#"[^"]*"#`)
	addressText = regexp.MustCompile(`^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]+)(/[0-9]{1,3})?`)
	numberText  = regexp.MustCompile(`^-?[0-9]+`)
)

func (p *expressionParser) parse() error {
	if err := p.disjunction(); err != nil {
		return err
	}
	p.skip()
	if p.at < len(p.text) {
		return p.failure(p.at, p.at+1, "expected EOI or logical_operator")
	}

	return nil
}

func (p *expressionParser) skip() {
	for p.at < len(p.text) && strings.ContainsRune(" \t\r\n", rune(p.text[p.at])) {
		p.at++
	}
}

func (p *expressionParser) take(pattern *regexp.Regexp) string {
	p.skip()
	found := pattern.FindString(p.text[p.at:])
	p.at += len(found)

	return found
}

func (p *expressionParser) accept(mark string) bool {
	p.skip()
	if !strings.HasPrefix(p.text[p.at:], mark) {
		return false
	}
	p.at += len(mark)

	return true
}

func (p *expressionParser) disjunction() error {
	for {
		if err := p.term(); err != nil {
			return err
		}
		if !p.accept("&&") && !p.accept("||") {
			return nil
		}
	}
}

func (p *expressionParser) term() error {
	negated := p.accept("!")
	if !p.accept("(") {
		if negated {
			return p.failure(p.at, p.at+1, "expected expression")
		}

		return p.predicate()
	}
	if err := p.disjunction(); err != nil {
		return err
	}
	if !p.accept(")") {
		return p.failure(p.at, p.at+1, "expected logical_operator")
	}

	return nil
}

func (p *expressionParser) predicate() error {
	wrappers := 0
	for p.accept("lower(") || p.accept("any(") {
		wrappers++
	}
	name := p.take(fieldName)
	if name == "" {
		return p.failure(p.at, p.at+1, "expected expression")
	}
	for range wrappers {
		if !p.accept(")") {
			return p.failure(p.at, p.at+1, "expected lhs")
		}
	}

	op := p.take(operator)
	if op == "" {
		return p.failure(p.at, p.at+1, "expected binary_operator")
	}

	p.skip()
	start := p.at
	kind, value := p.value()
	if kind == "" {
		return p.failure(p.at, p.at+1, "expected rhs")
	}

	if op == "~" && kind == "text" {
		if problem := badPattern(value); problem != "" {
			return p.failure(start, p.at, problem)
		}
	}

	switch left := kindOf(name); {
	case left == "":
		return errors.New("Unknown LHS field")
	case left != kind:
		return errors.New("Type mismatch between the LHS and RHS values of predicate")
	case left == "text" && slices.Contains([]string{">", "<", ">=", "<=", "in", "not in"}, op):
		return errors.New("Type mismatch between the LHS and RHS values of predicate")
	}

	return nil
}

func (p *expressionParser) value() (kind, text string) {
	if text := p.take(quotedText); text != "" {
		return "text", text[1 : len(text)-1]
	}
	if text := p.take(rawText); text != "" {
		return "text", text[len(`r#"`) : len(text)-len(`"#`)]
	}
	if text := p.take(addressText); text != "" {
		return "address", text
	}
	if text := p.take(numberText); text != "" {
		return "number", text
	}

	return "", ""
}

// badPattern words the mistakes in regular expressions that Go's parser finds as well.
func badPattern(text string) string {
	words := map[syntax.ErrorCode]string{
		syntax.ErrMissingParen: "unclosed group", syntax.ErrUnexpectedParen: "unopened group",
		syntax.ErrMissingBracket: "unclosed character class", syntax.ErrMissingRepeatArgument: "repetition operator missing expression",
	}

	var problem *syntax.Error
	if _, err := syntax.Parse(text, syntax.Perl); !errors.As(err, &problem) || words[problem.Code] == "" {
		return ""
	}
	at := max(strings.IndexAny(text, "()[*+?"), 0)

	return "regex parse error:\n    " + text + "\n    " + strings.Repeat(" ", at) + "^\nerror: " + words[problem.Code]
}

// failure points at a place as the router's parser does.
func (p *expressionParser) failure(from, to int, text string) error {
	line, column := 1+strings.Count(p.text[:from], "\n"), 1+from-(strings.LastIndex(p.text[:from], "\n")+1)
	shown := strings.Split(p.text, "\n")[line-1]

	marks := "^---"
	if to > from+1 {
		marks = "^" + strings.Repeat("-", max(to-from-2, 0)) + "^"
	}
	pad := strings.Repeat(" ", len(fmt.Sprint(line)))

	return fmt.Errorf("%s--> %d:%d\n%s |\n%d | %s\n%s | %s%s\n%s |\n%s = %s",
		pad, line, column, pad, line, shown, pad, strings.Repeat(" ", column-1), marks, pad, pad, text)
}
