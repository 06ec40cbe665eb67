"""The API of values that staff set while the instance runs."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import validated
from apps.rbac.api.staff import StaffAPIView
from apps.tenants.selectors.config import known_settings, setting_named, values
from apps.tenants.services.config import reset_config, set_config


class ConfigIn(serializers.Serializer[Any]):
    """What the setting shall be."""

    value = serializers.JSONField(help_text="Of the setting's type: no text for a number.")


class ConfigOut(serializers.Serializer[Any]):
    """A value that staff can set."""

    object = serializers.CharField(default="setting")
    key = serializers.CharField()
    description = serializers.CharField()
    kind = serializers.ChoiceField(choices=["integer", "boolean", "text"])
    minimum = serializers.IntegerField(allow_null=True)
    maximum = serializers.IntegerField(allow_null=True)
    default = serializers.JSONField()
    value = serializers.SerializerMethodField(help_text="As it is set; null for the default.")
    requires_admin = serializers.BooleanField(help_text="Only superusers change it.")

    def get_value(self, setting: Any) -> Any:
        """Return what is set."""
        return self.context["values"].get(setting.key)


def shown(setting: Any, *, many: bool = False) -> Any:
    """Return one setting or several as the API shows them."""
    return ConfigOut(setting, many=many, context={"values": values()}).data


class StaffConfig(StaffAPIView):
    """All settings."""

    is_paged = False
    permissions = {"GET": "config.manage"}

    @extend_schema(operation_id="staff_config_list", tags=["staff"], responses=ConfigOut(many=True))
    def get(self, request: Request) -> Response:
        """Return every setting with its type, default and value."""
        return Response({"object": "list", "data": shown(known_settings(), many=True)})


class StaffSetting(StaffAPIView):
    """One setting."""

    permissions = {
        "GET": "config.manage",
        "PUT": "config.manage",
        "DELETE": "config.manage",
    }

    @extend_schema(operation_id="staff_config_retrieve", tags=["staff"], responses=ConfigOut)
    def get(self, request: Request, key: str) -> Response:
        """Return one setting."""
        return Response(shown(setting_named(key)))

    @extend_schema(
        operation_id="staff_config_set", tags=["staff"], request=ConfigIn, responses=ConfigOut
    )
    def put(self, request: Request, key: str) -> Response:
        """Set its value; it counts from the next decision on."""
        value = validated(ConfigIn, request.data)["value"]
        set_config(key=key, value=value, by=self.user)
        return Response(shown(setting_named(key)))

    @extend_schema(operation_id="staff_config_reset", tags=["staff"], responses=ConfigOut)
    def delete(self, request: Request, key: str) -> Response:
        """Go back to the default."""
        reset_config(key=key, by=self.user)
        return Response(shown(setting_named(key)))
