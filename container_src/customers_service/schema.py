"""The table as the code sees it; the migrations make it. A test compares the two."""

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Integer, MetaData, String, Table, Uuid

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(column_0_label)s",
    }
)

customers = Table(
    "customers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("email", String(254), nullable=False),
    Column("reward_points", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("reward_points >= 0", name="reward_points"),
    # Pages are read in this order.
    Index("ix_customers_created_at_id", "created_at", "id"),
)
