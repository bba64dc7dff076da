from django.apps import AppConfig


class ControlPlaneConfig(AppConfig):
    name = "talktime.console.control_plane"
    label = "control_plane"
    verbose_name = "Control plane"
