package web

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// kill ends the process that holds the other end of a connection.
func kill(client string) error {
	inode, err := socketOf(client)
	if err != nil {
		return fmt.Errorf("kill a client: %w", err)
	}
	pid, err := holderOf(inode)
	if err != nil {
		return fmt.Errorf("kill a client: %w", err)
	}
	if pid == os.Getpid() {
		return errors.New("kill a client: it is this process")
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill a client, process %d: %w", pid, err)
	}
	return nil
}

// socketOf finds the inode of the socket that has this local address; see proc_pid_net(5). An earlier connection from the same port to
// somewhere else may still be listed: it has no inode.
func socketOf(client string) (inode string, err error) {
	address, err := netip.ParseAddrPort(client)
	if err != nil {
		return "", err
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return "", err
	}
	ip := address.Addr().As4()
	local := fmt.Sprintf("%02X%02X%02X%02X:%04X", ip[3], ip[2], ip[1], ip[0], address.Port())
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) > 9 && fields[1] == local && fields[9] != "0" {
			return fields[9], nil
		}
	}
	return "", fmt.Errorf("no socket has the address %s", client)
}

// holderOf finds the process that has a socket open.
func holderOf(inode string) (pid int, err error) {
	files, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil && target == "socket:["+inode+"]" {
			return strconv.Atoi(strings.Split(file, "/")[2])
		}
	}
	return 0, fmt.Errorf("no process has the socket %s open", inode)
}
