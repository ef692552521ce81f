"""Subjects and inventories, there and back."""

from sickbay.core.devices import Gpu, Inventory, Scope, Subject
from sickbay.rpc.convert_values import EnumCodec, integer, text
from sickbay.v1 import types_pb2 as pb

SCOPES = EnumCodec(pb.Scope, Scope, prefix="SCOPE", safest=Scope.NODE)


def wire_subject(subject: Subject) -> pb.Subject:
    """A part of one host."""
    message = pb.Subject(
        scope=SCOPES.wire(subject.scope),
        gpu_uuid=text(subject.gpu_uuid),
        pci=text(subject.pci),
        name=text(subject.name),
    )
    if subject.link is not None:
        message.link = integer(subject.link)
    return message


def core_subject(message: pb.Subject) -> Subject:
    """A part of one host. One whose scope is not known keeps the number in its name, apart from the node."""
    name = message.name
    if not SCOPES.knows(message.scope):
        name = name or f"scope {message.scope}"
    return Subject(
        scope=SCOPES.core(message.scope),
        gpu_uuid=message.gpu_uuid,
        pci=message.pci,
        link=message.link if message.HasField("link") else None,
        name=name,
    )


def wire_gpu(gpu: Gpu) -> pb.Gpu:
    """One GPU."""
    return pb.Gpu(
        uuid=text(gpu.uuid),
        pci=text(gpu.pci),
        slot=integer(gpu.slot),
        name=text(gpu.name),
        serial=text(gpu.serial),
        vbios=text(gpu.vbios),
        pci_device_id=text(gpu.pci_device_id),
        memory_bytes=integer(gpu.memory_bytes),
        nvlinks=integer(gpu.nvlinks),
        mig=text(gpu.mig),
    )


def core_gpu(message: pb.Gpu) -> Gpu:
    """One GPU."""
    return Gpu(
        uuid=message.uuid,
        pci=message.pci,
        slot=message.slot,
        name=message.name,
        serial=message.serial,
        vbios=message.vbios,
        pci_device_id=message.pci_device_id,
        memory_bytes=message.memory_bytes,
        nvlinks=message.nvlinks,
        mig=message.mig,
    )


def wire_inventory(inventory: Inventory) -> pb.Inventory:
    """What a node holds."""
    return pb.Inventory(
        gpus=[wire_gpu(gpu) for gpu in inventory.gpus],
        driver_version=text(inventory.driver_version),
        nvml_version=text(inventory.nvml_version),
        nvml=text(inventory.nvml),
        kernel=text(inventory.kernel),
    )


def core_inventory(message: pb.Inventory) -> Inventory:
    """What a node holds."""
    return Inventory(
        gpus=tuple(core_gpu(gpu) for gpu in message.gpus),
        driver_version=message.driver_version,
        nvml_version=message.nvml_version,
        nvml=message.nvml,
        kernel=message.kernel,
    )
