package alert

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(binary, "--config.file="+config, "--storage.path="+dir, "--web.listen-address=127.0.0.1:0", "--cluster.listen-address=")
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // says that it was killed
	})
	var said []byte
	for range 1200 {
		if said, err = os.ReadFile(log.Name()); err != nil {
			t.Fatal(err)
		}
		if url := listeningAt(said); url != "" && isReady(url) {
			return url
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("Alertmanager is not ready: %s", said)
	return ""
}

// listeningAt reads from a log where Alertmanager listens; "" while it does not.
func listeningAt(log []byte) string {
	m := regexp.MustCompile(`msg="Listening on" address=(\S+)`).FindSubmatch(log)
	if m == nil {
		return ""
	}
	return "http://" + string(m[1])
}

func isReady(url string) bool {
	response, err := http.Get(url + "/-/ready")
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
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
