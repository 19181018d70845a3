"""A stand-in for the Hugging Face Hub on this machine: what its library asks for models."""

import base64
import collections
import hashlib
import http.server
import json
import re
import threading
import urllib.parse

import huggingface_hub

TOKEN = "hf_of_a_test"


class Hub:
    """Models in memory, each a list of commits; the last is `main`.

    Attributes:
        models: `{USER/NAME: [{file: bytes}, ...]}`.
        private: Names that only the token may read.
        asked: Every request, as `METHOD path`.
    """

    def __init__(self):
        self.models = collections.defaultdict(list)
        self.private, self.asked, self.messages = set(), [], []
        self.stopped, self.broken = False, None  # Whether, or with which status, nothing is said.
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                if hub.stopped:
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if hub.broken:
                    return self.send_error(hub.broken)
                path = urllib.parse.unquote(self.path.partition("?")[0])
                hub.asked.append(f"{self.command} {path}")
                known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
                code, content, headers = hub.answer(self.command, path, body, known)
                if not isinstance(content, bytes):
                    content = json.dumps(content).encode()
                self.send_response(code)
                for name, value in {"Content-Length": len(content), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_HEAD = do_POST = answer

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        """Answers nothing any more."""
        self.stopped = True
        self.server.shutdown()
        self.server.server_close()

    def hash_of(self, name):
        """The last commit of a model."""
        return _hash(self.models[name][-1])

    def answer(self, method, path, body, known):
        """Status, content and headers of a request."""
        if method == "POST" and not known:
            return 401, {"error": "Invalid credentials"}, {}
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}"
            if name in self.models:
                return 409, {"error": "exists", "url": f"{self.url}/{name}"}, {}
            self.models[name] = [{".gitattributes": b""}]
            hidden = asked.get("private") or asked.get("visibility") == "private"
            self.private |= {name} if hidden else set()
            return 200, {"url": f"{self.url}/{name}"}, {}
        found = re.match(r"(/api/models)?/([^/]+/[^/]+)(?:/(\w+)(?:/([^/]+)(?:/(.+))?)?)?$", path)
        if path == "/api/agent-harnesses":
            return 200, {}, {}
        if path == "/api/validate-yaml":
            return self.validate(json.loads(body)["content"])
        if found is None or not path.startswith(("/api/models/", f"/{found[2]}/resolve/")):
            return 404, {"error": f"no such page: {path}"}, {}
        _, name, what, revision, file = found.groups()
        if name not in self.models or (name in self.private and not known):
            return 404, {"error": "not found"}, {"X-Error-Code": "RepoNotFound"}
        if what == "preupload":
            asked = json.loads(body)["files"]
            files = [{"path": x["path"], "uploadMode": "regular"} for x in asked]
            return 200, {"files": [{**x, "shouldIgnore": False} for x in files]}, {}
        if what == "commit":
            head = json.loads(body.splitlines()[0])["value"]
            if head.get("parentCommit") != _hash(self.models[name][-1]):
                return 412, {"error": "A commit has happened since."}, {}
            return 200, self.commit(name, body), {}
        commits = {"main": self.models[name][-1] if self.models[name] else {}}
        commits |= {_hash(x): x for x in self.models[name]}
        if (revision or "main") not in commits:
            return 404, {"error": "no revision"}, {"X-Error-Code": "RevisionNotFound"}
        files = commits[revision or "main"]
        if what == "resolve":
            if file not in files:
                return 404, {"error": "no entry"}, {"X-Error-Code": "EntryNotFound"}
            tag = hashlib.sha1(files[file]).hexdigest()
            return 200, files[file], {"ETag": f'"{tag}"', "X-Repo-Commit": _hash(files)}
        if what == "tree":
            rows = [(x, len(y), hashlib.sha1(y).hexdigest()) for x, y in files.items()]
            return 200, [{"type": "file", "path": x, "size": y, "oid": z} for x, y, z in rows], {}
        told = {"id": name, "_id": "1", "sha": _hash(files), "private": name in self.private}
        return 200, {**told, "siblings": [{"rfilename": x} for x in files]}, {}

    def validate(self, text):
        """What the Hub says of a model card's metadata: scores have to be numbers."""
        data = huggingface_hub.ModelCard(text).data
        wrong = [x for x in data.eval_results or () if not isinstance(x.metric_value, float | int)]
        said = [{"message": f"{x.metric_name} is no number"} for x in wrong]
        return (400 if said else 200), {"errors": said, "warnings": []}, {}

    def commit(self, name, body):
        """Takes the lines of a commit."""
        lines = [json.loads(line) for line in body.splitlines()]
        files = dict(self.models[name][-1]) if self.models[name] else {}
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                self.messages.append(value["summary"])
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        self.models[name].append(files)
        return {"commitUrl": f"{self.url}/{name}/commit/{_hash(files)}", "commitOid": _hash(files)}


def _hash(files):
    return hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
