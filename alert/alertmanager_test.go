package alert

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"authwatch/store"
)

// startAlertmanager runs Debian's, alone and on this machine only. It returns its address, "" where it is not installed.
func startAlertmanager(t *testing.T) string {
	t.Helper()
	binary, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		if os.Getenv("AUTHWATCH_REQUIRE_PROMETHEUS") != "" {
			t.Fatal("prometheus-alertmanager is needed: scripts/install.sh prometheus-alertmanager")
		}
		t.Log("prometheus-alertmanager is missing; make test installs it and runs this test")
		return ""
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "am.yml")
	if err := os.WriteFile(config, []byte("route: {receiver: none}\nreceivers: [{name: none}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	cmd := exec.Command(binary, "--config.file="+config, "--storage.path="+dir, "--web.listen-address="+address, "--cluster.listen-address=")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // says that it was killed
	})
	for range 1200 {
		response, err := http.Get("http://" + address + "/-/ready")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return "http://" + address
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("Alertmanager is not ready")
	return ""
}

// The real Alertmanager takes an alert, keeps it while it goes on, and drops it at its end.
func TestAlertmanager(t *testing.T) {
	url := startAlertmanager(t)
	if url == "" {
		return
	}
	d := openDesk(t, configured(t, "receivers:\n- name: out\n  alertmanager: {url: \""+url+"\"}\n", nil)...)
	d.clock = time.Now()
	incident := d.fireOne("client-b")
	d.deliver()
	var alerts []struct {
		Labels, Annotations map[string]string
		EndsAt              time.Time
		GeneratorURL        string
	}
	read := func() {
		t.Helper()
		response, err := http.Get(url + "/api/v2/alerts")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		alerts = nil
		if err := json.NewDecoder(response.Body).Decode(&alerts); err != nil {
			t.Fatal(err)
		}
	}
	read()
	if len(alerts) != 1 || alerts[0].Labels["cause"] != "jti_reuse" || alerts[0].GeneratorURL != "https://aw.example/i/"+incident.ID || alerts[0].Annotations["fix"] == "" {
		t.Fatalf("%+v; log %v", alerts, d.told())
	}
	if time.Until(alerts[0].EndsAt) < 23*time.Hour {
		t.Errorf("it ends at %s", alerts[0].EndsAt)
	}
	if _, err := d.Store.ChangeIncident(t.Context(), incident.ID, store.StateChange{State: store.StateResolved, By: "sam"}); err != nil {
		t.Fatal(err)
	}
	d.evaluate()
	d.deliver()
	read()
	if len(alerts) != 0 {
		t.Errorf("after its end: %+v", alerts)
	}
	if class, err := d.Test(t.Context(), "out"); err != nil || class != "" {
		t.Errorf("the test: %q, %v", class, err)
	}
}
