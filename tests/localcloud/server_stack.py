"""A stack with a container service and an Auto Scaling group behind a load balancer, and their package."""

from pathlib import Path
from typing import Any

from tests.localcloud import probes
from tests.localcloud.targets import balancer, forward, group, listener
from tests.templates import ROOT

HOST = "tiny.my-blog.example.com"

SERVER = """
import json, os, signal, sys, threading, time, urllib.error, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import h11

go = os.environ["TMPDIR"] + "/go"

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        if self.path == "/slow":
            print(json.dumps({"event": "slow"}), flush=True)
            # Until a file is there: somebody asked any of the servers to go on.
            while not os.path.exists(go):
                time.sleep(0.05)
        if self.path == "/go":
            open(go, "w").close()
        if self.path == "/environment":
            body = json.dumps(dict(os.environ))
        elif self.path.startswith("/fetch/"):
            try:
                url = "https://" + self.path.removeprefix("/fetch/")
                body = urllib.request.urlopen(url, timeout=10).read().decode()
            except OSError as error:
                body = f"refused: {error}"
        else:
            body = json.dumps({"pid": os.getpid(), "port": os.environ["PORT"], "h11": h11.__version__})
        if self.path != "/health":
            print(json.dumps({"event": "request", "path": self.path}), flush=True)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass

def main():
    if os.environ.get("BROKEN"):
        sys.exit("this server is broken")
    server = ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler)
    server.daemon_threads = False
    def end(*_):
        threading.Thread(target=server.shutdown).start()
    signal.signal(signal.SIGTERM, end)
    server.serve_forever(0.02)
    server.server_close()
    print(json.dumps({"event": "ended in order"}), flush=True)

main()
"""


def package(sources: Path) -> Path:
    """Write the server package `tiny` into a folder; it needs one pinned library."""
    folder = sources / "tiny"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "__main__.py").write_text(SERVER)
    pinned = (ROOT / "requirements.txt").read_text().split("\nh11==", 1)[1]
    lines = pinned.splitlines()
    block = [lines[0], *(line for line in lines[1:4] if "--hash" in line)][:3]
    (folder / "requirements.txt").write_text("h11==" + "\n".join(block).rstrip("\\ ") + "\n")
    return folder


def resources(**environment: str) -> dict[str, Any]:
    """The stack; `environment` goes to the container."""
    write_logs = probes.allow(["logs:CreateLogStream", "logs:PutLogEvents"], probes.attribute("Logs"))
    read_secret = probes.allow("secretsmanager:GetSecretValue", {"Ref": "Secret"})
    read_table = probes.allow("dynamodb:ListTables")
    container = {
        "Name": "tiny",
        "Image": "tiny",
        "Essential": True,
        "PortMappings": [{"ContainerPort": 8080}],
        "Environment": [{"Name": name, "Value": value} for name, value in {"GREETING": "hello", **environment}.items()],
        "Secrets": [{"Name": "PASSWORD", "ValueFrom": {"Fn::Sub": "${Secret}:password::"}}],
        "LogConfiguration": {
            "LogDriver": "awslogs",
            "Options": {
                "awslogs-group": {"Ref": "Logs"},
                "awslogs-region": "us-east-1",
                "awslogs-stream-prefix": "shop",
            },
        },
    }
    task = {
        "Family": "tiny",
        "NetworkMode": "awsvpc",
        "Cpu": "256",
        "Memory": "512",
        "TaskRoleArn": probes.attribute("TaskRole"),
        "ExecutionRoleArn": probes.attribute("ExecutionRole"),
        "ContainerDefinitions": [container],
    }
    service = {
        "Cluster": {"Ref": "Cluster"},
        "TaskDefinition": {"Ref": "Task"},
        "DesiredCount": 2,
        "LaunchType": "FARGATE",
        "LoadBalancers": [{"ContainerName": "tiny", "ContainerPort": 8080, "TargetGroupArn": {"Ref": "Tasks"}}],
        "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": [{"Ref": "Left"}, {"Ref": "Right"}]}},
    }
    alias = {
        "DNSName": probes.attribute("Balancer", "DNSName"),
        "HostedZoneId": probes.attribute("Balancer", "CanonicalHostedZoneID"),
    }
    record = {"HostedZoneId": {"Ref": "Zone"}, "Name": f"{HOST}.", "Type": "A", "AliasTarget": alias}
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.8.0.0/16"}},
        "Left": _subnet("10.8.0.0/24", "us-east-1a"),
        "Right": _subnet("10.8.1.0/24", "us-east-1b"),
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": '{"password": "open"}'}},
        "Files": {"Type": "AWS::EFS::FileSystem"},
        "Access": {
            "Type": "AWS::EFS::AccessPoint",
            "Properties": {"FileSystemId": {"Ref": "Files"}, "RootDirectory": {"Path": "/shared"}},
        },
        "TaskRole": probes.role("ecs-tasks.amazonaws.com", read_table),
        "ExecutionRole": probes.role("ecs-tasks.amazonaws.com", write_logs, read_secret),
        "InstanceRole": probes.role("ec2.amazonaws.com", write_logs),
        "Balancer": balancer(),
        "Tasks": group(),
        "Instances": group(TargetType="instance"),
        "Secure": listener(443, forward("Tasks")),
        "Plain": listener(80, forward("Instances")),
        "Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "my-blog.example.com"}},
        "Named": {"Type": "AWS::Route53::RecordSet", "Properties": record},
        "Cluster": {"Type": "AWS::ECS::Cluster"},
        "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": task},
        "Service": {"Type": "AWS::ECS::Service", "DependsOn": "Secure", "Properties": service},
        **_scaling_group(),
    }


def _subnet(cidr: str, zone: str) -> dict[str, Any]:
    properties = {"VpcId": {"Ref": "Vpc"}, "CidrBlock": cidr, "AvailabilityZone": zone}
    return {"Type": "AWS::EC2::Subnet", "Properties": properties}


def _scaling_group() -> dict[str, Any]:
    script = """#!/bin/bash
mount -t efs -o tls,iam,accesspoint=${Access},ro ${Files}:/ /srv/files
cat > /etc/tiny.env <<'ENVIRONMENT'
PORT=8080
GREETING=hello=there
FILES_ROOT=/srv/files/releases
ENVIRONMENT
cat > /etc/systemd/system/tiny.service <<'UNIT'
ExecStart=/usr/bin/python3.13 -m tiny
UNIT
cat > /etc/tiny-logs.json <<'AGENT'
{"logs": {"logs_collected": {"files": {"collect_list": [{"log_group_name": "${Logs}"}]}}}}
AGENT
"""
    data = {
        "ImageId": "ami-1",
        "InstanceType": "t4g.micro",
        "IamInstanceProfile": {"Arn": probes.attribute("Profile")},
        "UserData": {"Fn::Base64": {"Fn::Sub": script}},
    }
    properties = {
        "MinSize": "2",
        "MaxSize": "3",
        "LaunchTemplate": {
            "LaunchTemplateId": {"Ref": "Template"},
            "Version": probes.attribute("Template", "LatestVersionNumber"),
        },
        "TargetGroupARNs": [{"Ref": "Instances"}],
        "VPCZoneIdentifier": [{"Ref": "Left"}, {"Ref": "Right"}],
    }
    return {
        "Profile": {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [{"Ref": "InstanceRole"}]}},
        "Template": {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": data}},
        "Group": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": properties},
    }
