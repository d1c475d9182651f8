package main

import (
	"example.com/pulumi-livekit-sip/sdk/go/livekitsip"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		cfg := config.New(ctx, "")
		password := cfg.RequireSecret("password")
		pendingPassword := cfg.RequireSecret("pendingPassword")
		_, err := livekitsip.NewSipTrunk(ctx, "reception", &livekitsip.SipTrunkArgs{
			Type:            livekitsip.SipTrunkTypeExtension,
			Extension:       pulumi.String("1011"),
			Address:         pulumi.String("pbx.acme.com"),
			Password:        password,
			PendingPassword: pendingPassword,
			Country:         pulumi.String("US"),
		})
		if err != nil {
			return err
		}
		return nil
	})
}
