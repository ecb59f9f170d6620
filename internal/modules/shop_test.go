package modules_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// asShop is set to the machine's name for a process that is to be the program of a web machine until it is killed.
const asShop = "MODULES_TEST_SHOP"

// visitorLimit is for how long a shop tries what a server refuses, or does not answer: as long as a visitor would wait.
const visitorLimit = 3 * time.Second

func TestMain(m *testing.M) {
	if name := os.Getenv(asShop); name != "" {
		fmt.Fprintln(os.Stderr, newShop(name).ListenAndServe())
		os.Exit(1)
	}

	os.Exit(m.Run())
}

// newShop has a page, and one that reads and writes the database as a shop does: /order?id=7 writes an order, and without an id
// the newest is read.
func newShop(name string) *http.Server {
	pages := http.NewServeMux()
	pages.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
	pages.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })
	pages.HandleFunc("/order", order)

	return &http.Server{Addr: ":80", Handler: pages, ReadHeaderTimeout: visitorLimit}
}

func order(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), visitorLimit)
	defer cancel()

	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()

	for {
		answer, err := askDatabase(ctx, r.FormValue("id"))
		if err == nil {
			fmt.Fprint(w, answer)

			return
		}

		select {
		case <-ticker.C:
		case <-ctx.Done():
			http.Error(w, err.Error(), http.StatusServiceUnavailable)

			return
		}
	}
}

// names asks the machine's own agent, as the resolver of a guest does.
var names = net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:8600")
}}

// askDatabase finds the server by its name, each time anew, and tries all that have it.
func askDatabase(ctx context.Context, id string) (answer string, err error) {
	service := "mysql-reader"
	if id != "" {
		service = "mysql-writer"
	}

	servers, err := names.LookupHost(ctx, service+".service.consul.")
	if err != nil {
		return "", err
	}

	var failures []error

	for _, server := range servers {
		answer, err := askServer(ctx, server, id)
		if err == nil {
			return answer, nil
		}

		failures = append(failures, fmt.Errorf("ask %s: %w", server, err))
	}

	return "", errors.Join(failures...)
}

// askServer writes an order or reads the newest. An order has a number, so to write it twice is to write it once.
func askServer(ctx context.Context, server, id string) (answer string, err error) {
	config := mysql.NewConfig()
	config.Net, config.Addr, config.User, config.Passwd, config.DBName = "tcp", net.JoinHostPort(server, "3306"), "shop", shopPassword, "shop"
	config.Timeout, config.InterpolateParams = time.Second, true

	connector, err := mysql.NewConnector(config)
	if err != nil {
		return "", err
	}

	db := sql.OpenDB(connector)
	defer db.Close()

	if id == "" {
		var newest sql.NullInt64
		err := db.QueryRowContext(ctx, "SELECT MAX(id) FROM orders").Scan(&newest)

		return fmt.Sprintf("newest %d", newest.Int64), err
	}

	_, err = db.ExecContext(ctx, "INSERT INTO orders (id) VALUES (?) ON DUPLICATE KEY UPDATE id = id", id)

	return "written " + id, err
}
