package main

import (
	"example.com/pulumi-livekit-sip/sdk/go/livekitsip"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		cfg := config.New(ctx, "")
		receptionPassword := cfg.RequireSecret("receptionPassword")
		reception, err := livekitsip.NewSipTrunk(ctx, "reception", &livekitsip.SipTrunkArgs{
			Type:      livekitsip.SipTrunkTypeExtension,
			Extension: pulumi.String("1011"),
			Address:   pulumi.String("pbx.acme.com"),
			Password:  receptionPassword,
			Country:   pulumi.String("US"),
		})
		if err != nil {
			return err
		}
		_, err = livekitsip.NewInboundAuth(ctx, "reception", &livekitsip.InboundAuthArgs{
			Trunk:  reception.Reference,
			Method: livekitsip.InboundAuthMethodCredentials,
		})
		if err != nil {
			return err
		}
		support, err := livekitsip.NewSipTrunk(ctx, "support", &livekitsip.SipTrunkArgs{
			Type: livekitsip.SipTrunkTypeDid,
			Numbers: pulumi.StringArray{
				pulumi.String("+12025550123"),
			},
			Direction: livekitsip.SipTrunkDirectionInbound,
			Country:   pulumi.String("US"),
		})
		if err != nil {
			return err
		}
		_, err = livekitsip.NewInboundAuth(ctx, "support", &livekitsip.InboundAuthArgs{
			Trunk:  support.Reference,
			Method: livekitsip.InboundAuthMethodIp,
			AllowedAddresses: pulumi.StringArray{
				pulumi.String("203.0.113.7"),
				pulumi.String("198.51.100.0/24"),
			},
		})
		if err != nil {
			return err
		}
		return nil
	})
}
